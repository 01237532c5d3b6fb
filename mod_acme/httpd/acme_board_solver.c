/*
 * acme_board_solver.c - challenges that are answered from the board.
 */
#include "acme_alpn_cert.h"
#include "acme_board_solver.h"

static apr_status_t present_on_board(void *baton,
                                     const acme_challenge_response_t *answer,
                                     acme_result_t *res)
{
    unsigned char digest[ACME_ALPN_DIGEST_OCTETS];
    apr_status_t rv;

    if (answer->type == ACME_HTTP_01) {
        return acme_board_present(baton, answer->token,
                                  answer->key_authorization, res);
    }
    rv = acme_alpn_cert_digest(digest, answer->key_authorization, res);
    return rv == APR_SUCCESS
        ? acme_board_present_alpn(baton, answer->sni, digest, res) : rv;
}

static void withdraw(void *baton, const acme_challenge_response_t *answer)
{
    if (answer->type == ACME_HTTP_01) {
        acme_board_withdraw(baton, answer->token);
    }
    else {
        acme_board_withdraw_alpn(baton, answer->sni);
    }
}

static apr_uint32_t seen(void *baton, const acme_challenge_response_t *answer)
{
    return answer->type == ACME_HTTP_01
        ? acme_board_seen(baton, answer->token)
        : acme_board_seen_alpn(baton, answer->sni);
}

acme_solver_t acme_board_solver_make(acme_board_t *board)
{
    return (acme_solver_t) { .baton = board,
                             .present = present_on_board,
                             .withdraw = withdraw,
                             .seen = seen };
}
