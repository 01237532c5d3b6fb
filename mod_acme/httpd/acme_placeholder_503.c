/*
 * acme_placeholder_503.c - no site is shown behind a placeholder.
 */
#include <httpd.h>
#include <http_ssl.h>

#include "acme_activation.h"
#include "acme_cert_callback.h"
#include "acme_placeholder_503.h"
#include "acme_server_conf.h"
#include "acme_sni.h"

#define RETRY_AFTER "60"        /* seconds: a first certificate takes less */

/* By the name that he asks for: it may be in another one than its
   neighbours. */
static int has_certificate(const acme_server_found_t *server,
                           const request_rec *r)
{
    int cert;

    if (!server->certs) {
        return 0;
    }
    cert = acme_sni_of_server(server, r->hostname);
    return acme_activation_is_served(cert)
        || acme_cert_callback_is_live(server, cert);
}

/* A visitor is not shown a site behind a certificate that proves nothing. */
int acme_placeholder_503(request_rec *r)
{
    const acme_server_found_t *server = acme_server_conf_found(r->server);

    if (!(server->certs || server->is_unordered)
        || !ap_ssl_conn_is_ssl(r->connection) || has_certificate(server, r)) {
        return DECLINED;
    }
    apr_table_setn(r->err_headers_out, "Retry-After", RETRY_AFTER);
    return HTTP_SERVICE_UNAVAILABLE;
}
