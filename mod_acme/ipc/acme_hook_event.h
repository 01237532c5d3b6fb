/*
 * acme_hook_event.h - the events, and the data that a hook gets: the one list
 * for the environment of hooks, their JSON and the directives.
 */
#ifndef ACME_HOOK_EVENT_H
#define ACME_HOOK_EVENT_H

/* The word that AcmeHook takes for all of the events below. */
#define ACME_HOOK_NOTIFY "notify"

/* X(name, ACME_EVENT) */
#define ACME_HOOK_EVENTS(X)                                                  \
    X(INSTALLED,     "installed")                                            \
    X(FAILED,        "failed")                                               \
    X(EXPIRING,      "expiring")        /* a failure in the warn window */   \
    X(REVOKED,       "revoked")                                              \
    X(WINDOW_MOVED,  "window-moved")    /* the CA suggests an earlier renewal */\
    X(TERMS_CHANGED, "terms-changed")                                        \
    X(STUCK,         "stuck")           /* waits for the administrator */    \
    X(EXPORT_FAILED, "export-failed")

#define ACME_HOOK_EVENT_ROW(name, word) ACME_EVENT_##name,
typedef enum { ACME_HOOK_EVENTS(ACME_HOOK_EVENT_ROW) ACME_EVENTS } acme_event_e;
#undef ACME_HOOK_EVENT_ROW

/*
 * X(name, variable, certbot's variable, JSON key). A variable is always set,
 * to "" when there is no value; certbot's with a live certificate. A JSON key
 * without a value is left out. names is a list: separated by spaces, in JSON
 * an array.
 */
#define ACME_HOOK_FIELDS(X)                                                  \
    X(EVENT,     "ACME_EVENT",     NULL,              "event")               \
    X(ID,        "ACME_ID",        NULL,              "id")                  \
    X(NAMES,     "ACME_NAMES",     "RENEWED_DOMAINS", "names")               \
    X(LIVE,      "ACME_LIVE",      "RENEWED_LINEAGE", "live")                \
    X(CERT,      "ACME_CERT",      NULL,              "cert")                \
    X(CHAIN,     "ACME_CHAIN",     NULL,              "chain")               \
    X(FULLCHAIN, "ACME_FULLCHAIN", NULL,              "fullchain")           \
    X(PRIVKEY,   "ACME_PRIVKEY",   NULL,              "privkey")             \
    X(NOT_AFTER, "ACME_NOT_AFTER", NULL,              "not_after")           \
    X(PROBLEM,   "ACME_PROBLEM",   NULL,              "problem")             \
    X(DETAIL,    "ACME_DETAIL",    NULL,              "detail")

/*
 * The same of a TXT record: certbot's variable, or NULL; the key in the JSON
 * object "dns", or NULL. CERTBOT_AUTH_OUTPUT is set for a cleanup alone.
 */
#define ACME_HOOK_DNS_FIELDS(X)                                              \
    X(DOMAIN,      "CERTBOT_DOMAIN",               "domain")                 \
    X(TOKEN,       NULL,                           "token")                  \
    X(VALIDATION,  "CERTBOT_VALIDATION",           "validation")             \
    X(RECORD,      NULL,                           "record")                 \
    X(REMAINING,   "CERTBOT_REMAINING_CHALLENGES", NULL)                     \
    X(ALL_DOMAINS, "CERTBOT_ALL_DOMAINS",          NULL)                     \
    X(AUTH_OUTPUT, "CERTBOT_AUTH_OUTPUT",          NULL)

#endif
