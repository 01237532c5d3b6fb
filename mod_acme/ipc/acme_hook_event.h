/*
 * acme_hook_event.h - the events, and the data that a hook gets: the one list
 * for the environment of hooks, their JSON and the directives.
 */
#ifndef ACME_HOOK_EVENT_H
#define ACME_HOOK_EVENT_H

/*
 * What AcmeHook runs commands for. X(name, word). pre and post: around the
 * validations of orders; deploy: a certificate is installed and active; notify:
 * one of the events below.
 */
#define ACME_HOOK_KINDS(X)                                                   \
    X(PRE,    "pre")                                                         \
    X(POST,   "post")                                                        \
    X(DEPLOY, "deploy")                                                      \
    X(NOTIFY, "notify")

#define ACME_HOOK_KIND_ROW(name, word) ACME_HOOK_##name,
typedef enum { ACME_HOOK_KINDS(ACME_HOOK_KIND_ROW) ACME_HOOKS } acme_hook_e;
#undef ACME_HOOK_KIND_ROW

/* X(name, ACME_EVENT) */
#define ACME_HOOK_EVENTS(X)                                                  \
    X(INSTALLED,     "installed")                                            \
    X(FAILED,        "failed")                                               \
    X(EXPIRING,      "expiring")        /* a failure in the warn window */   \
    X(REVOKED,       "revoked")                                              \
    X(WINDOW_MOVED,  "window-moved")    /* the CA suggests an earlier renewal */\
    X(TERMS_CHANGED, "terms-changed")                                        \
    X(STUCK,         "stuck")           /* waits for the administrator */    \
    X(NOT_SERVED,    "not-served")      /* visitors get another certificate */ \
    X(DEPLOY_FAILED, "deploy-failed")   /* a command of deploy; once for each  \
                                           certificate; or of post, once until \
                                           it succeeds */                      \
    X(EXPORT_FAILED, "export-failed")

#define ACME_HOOK_EVENT_ROW(name, word) ACME_EVENT_##name,
typedef enum { ACME_HOOK_EVENTS(ACME_HOOK_EVENT_ROW) ACME_EVENTS } acme_event_e;
#undef ACME_HOOK_EVENT_ROW

/*
 * X(name, variable, certbot's variable, JSON key). A variable is always set,
 * to "" when there is no value; certbot's with a live certificate, and for post
 * the two lists. A JSON key without a value is left out. The names are lists:
 * separated by spaces, in JSON an array. For post they are those that were
 * validated, and those that were not.
 */
#define ACME_HOOK_FIELDS(X)                                                  \
    X(EVENT,     "ACME_EVENT",     NULL,              "event")               \
    X(ID,        "ACME_ID",        NULL,              "id")                  \
    X(NAMES,     "ACME_NAMES",     "RENEWED_DOMAINS", "names")               \
    X(FAILED,    "ACME_FAILED_NAMES", "FAILED_DOMAINS", "failed_names")      \
    X(LIVE,      "ACME_LIVE",      "RENEWED_LINEAGE", "live")                \
    X(CERT,      "ACME_CERT",      NULL,              "cert")                \
    X(CHAIN,     "ACME_CHAIN",     NULL,              "chain")               \
    X(FULLCHAIN, "ACME_FULLCHAIN", NULL,              "fullchain")           \
    X(PRIVKEY,   "ACME_PRIVKEY",   NULL,              "privkey")             \
    X(NOT_AFTER, "ACME_NOT_AFTER", NULL,              "not_after")           \
    X(PROBLEM,   "ACME_PROBLEM",   NULL,              "problem")             \
    X(DETAIL,    "ACME_DETAIL",    NULL,              "detail")

/*
 * The same of a challenge that is answered by a command: certbot's variable, or
 * NULL; the key in the JSON object "dns" or "http", or NULL. CERTBOT_TOKEN is
 * set for http-01 alone, CERTBOT_AUTH_OUTPUT for a cleanup alone.
 */
#define ACME_HOOK_CHALLENGE_FIELDS(X)                                              \
    X(DOMAIN,      "CERTBOT_DOMAIN",               "domain")                 \
    X(TOKEN,       "CERTBOT_TOKEN",                "token")                  \
    X(VALIDATION,  "CERTBOT_VALIDATION",           "validation")             \
    X(RECORD,      NULL,                           "record")                 \
    X(REMAINING,   "CERTBOT_REMAINING_CHALLENGES", NULL)                     \
    X(ALL_DOMAINS, "CERTBOT_ALL_DOMAINS",          NULL)                     \
    X(AUTH_OUTPUT, "CERTBOT_AUTH_OUTPUT",          NULL)

#endif
