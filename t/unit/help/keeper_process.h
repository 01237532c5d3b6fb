/*
 * keeper_process.h - a keeper that runs as a process of its own, and what is
 * said to it.
 *
 * Every octet that it says is kept: at the end of a test there must be no
 * secret among them, and only whole lines in the log.
 */
#ifndef KEEPER_PROCESS_H
#define KEEPER_PROCESS_H

#include <signal.h>
#include <sys/types.h>

#include "acme_keeper.h"
#include "acme_message.h"
#include "door.h"
#include "issuer.h"
#include "open_registry.h"
#include "packet.h"

#define ACCOUNT_URL "https://ca.example/account/1"
#define ORDER_URL "https://ca.example/order/1"
#define NONCE "bm9uY2U"

#define HANGS_AFTER 300         /* seconds; valgrind is slow */

extern door_t door;             /* where workers come in */
extern pid_t keeper_pid;        /* 0: none runs */
extern acme_conf_t *conf;
extern int channel;             /* the one that tests talk on; -1: not open */
extern char *heard;             /* all that came */
extern size_t heard_len;

void start_keeper(void);

/* How long one that starts lets a request wait; 0: as always. */
extern apr_interval_time_t keeper_parked_max;

/* Its wait status. */
int wait_for_keeper(void);

void kill_keeper(void);

/* As what the keeper said. */
void remember(const char *data, size_t len);

/* The next reply; APR_EOF when the keeper closed the channel. */
apr_status_t hear(acme_message_t *reply, int fd);

/* A new channel, on which HELLO was said and no answer was read yet. */
int knock(void);

int open_channel(void);

/* The witness's own. */
int open_witness(void);

/* acmectl's way in. */
int open_control(void);

/* The reply to a request, which may be a failure: then res has it as well. */
acme_message_t say_on(int fd, acme_message_e kind,
                      const void *body, const char *tail,
                      apr_size_t len);

acme_message_t say(acme_message_e kind, const void *body);

void assert_closed(int fd, const char *name);

/* It goes on serving others. */
void assert_serving(void);

apr_status_t prepare(apr_uint32_t cert);

apr_status_t tell_url(acme_message_e kind, apr_uint32_t cert,
                      const char *url);

/* An account, and key and CSR of certificate 0, as a renewal has them. */
void begin(void);

acme_message_t sign(apr_uint32_t cert, apr_uint32_t kind,
                    const char *url, const char *nonce);

acme_message_t install_octets(apr_uint32_t cert,
                              const char *data, apr_size_t len);

acme_message_t install(apr_uint32_t cert, const char *pem);

/* The state as acmectl sees it. */
acme_state_t list(apr_uint32_t cert);

/* The key that was made for a certificate under way. */
EVP_PKEY *pending_key(int cert);

/* What an honest CA issues for it. */
const char *right_chain(int cert);

int running_setup(void **state);
int keeper_setup(void **state);
int running_teardown(void **state);

/* A keeper runs; or the test starts it. */
#define RUNNING_TEST(test) \
    cmocka_unit_test_setup_teardown(test, keeper_setup, running_teardown)
#define STARTING_TEST(test) \
    cmocka_unit_test_setup_teardown(test, running_setup, running_teardown)

#endif
