/*
 * acme_page_view.h - what the page, ?json and ?metrics know: one read-only view
 * of this load's certificates, for a worker.
 *
 * Nothing here changes a file, and nothing that cannot be read is an error: it
 * is absent, and where it was to be found says why. All texts are hostile: from
 * a CA, from a file, or from the board, which every worker can write. Who
 * prints one escapes it.
 */
#ifndef ACME_PAGE_VIEW_H
#define ACME_PAGE_VIEW_H

#include "acme_board.h"
#include "acme_conf.h"
#include "acme_journal.h"
#include "acme_status_rows.h"

/* A virtual host that has a certificate. */
typedef struct {
    const char *name;           /* its ServerName */
    const char *file;           /* where it starts; NULL: it is the server */
    unsigned line;              /*   config */
    int port;                   /* of its first address; 0: any */
} acme_page_vhost_t;

/* A certificate of mod_ssl's that mod_acme does not manage, as it was when
   httpd was loaded. */
typedef struct {
    const char *path;           /* SSLCertificateFile */
    const char *place;          /* "file:line" of the first such directive */
    const apr_array_header_t *names;    /* const char *; empty: not known */
    const char *issuer;         /* ""; so is serial: not known */
    const char *serial;
    apr_time_t not_before;
    apr_time_t not_after;       /* 0: not known */
    const char *problem;        /* a sentence; "": none. That it is expired is
                                   none of these: see not_after */
    const apr_array_header_t *vhosts;   /* acme_page_vhost_t: who loads it */
} acme_page_other_t;

typedef struct {
    const acme_conf_t *conf;    /* its certs are those that are managed */
    acme_board_t *board;        /* NULL: no certificate, or no shared memory */
    int engines;                /* servers with AcmeEngine on */
    const apr_array_header_t **vhosts;  /* of each certificate:
                                           acme_page_vhost_t */
    const apr_array_header_t *others;   /* acme_page_other_t; NULL: the
                                           configuration has no acme-status */
    int *tries;                 /* acme_page_view_begin(): of acme_board.h */
} acme_page_view_t;

/* "file:line" of its start, in p. */
const char *acme_page_view_place(const acme_page_vhost_t *vhost,
                                 apr_pool_t *p);

/* In the parent (acme_page_load.h): the view of this load is this one. */
void acme_page_view_set(acme_page_view_t *view);

/* When there is a board. */
void acme_page_view_set_board(acme_board_t *board);

/*
 * The view of this load, for one page; in p, NULL: there is none. How often all
 * the page's reads of the board may be tried is counted in it.
 */
const acme_page_view_t *acme_page_view_begin(apr_pool_t *p);

/*
 * Copy the state of certificate i (an index in conf->certs) from the board into
 * *state: its texts end, its times are not negative and before the year 10000,
 * its reasons are of their enum. Whoever shows a state takes it from here. False:
 * the keeper has not read it yet, or somebody wrote to it all the time.
 */
int acme_page_view_state(const acme_page_view_t *view, int i,
                         acme_state_t *state);

/*
 * What acme_status_rows_make() and acme_explain_make() take, of certificate i:
 * state is a buffer for the copy, held the text of acme_page_view_held().
 */
acme_status_cert_t acme_page_view_cert(const acme_page_view_t *view, int i,
                                       acme_state_t *state, const char *held);

/* Why a reload is postponed, in p; "": none is. */
const char *acme_page_view_held(const acme_page_view_t *view, apr_pool_t *p);

/* One live certificate: a certificate has one of each key type. */
typedef struct {
    const char *key_type;       /* "p256" */
    const char *serial;
    const char *issuer;
    apr_time_t not_before;
    apr_time_t not_after;
    const apr_array_header_t *chain;    /* const char *: the subject of each
                                           certificate behind the leaf */
    const char *topmost;        /* issuer of the last one; "": not known */
} acme_page_live_t;

/* meta.json and the chains of live/<id>. */
typedef struct {
    const char *problem;        /* why lives is empty or a chain is missing;
                                   "": all is read */
    const char *folder;         /* "<AcmeStateDir>/live/<id>" */
    const char *ca;             /* URL of the directory; "": not known */
    const char *profile;        /* "": the CA's default */
    apr_time_t installed;       /* 0: not known */
    const apr_array_header_t *lives;    /* acme_page_live_t, never NULL */
} acme_page_files_t;

/*
 * Read the files of live/<id>, all in p; never NULL. One small file, without
 * the chains; with them one more for each key type, as where meta.json is not
 * there.
 */
typedef enum { ACME_PAGE_WITHOUT_CHAINS, ACME_PAGE_WITH_CHAINS }
    acme_page_chains_e;
const acme_page_files_t *acme_page_view_files(const acme_page_view_t *view,
                                              int i, acme_page_chains_e chains,
                                              apr_pool_t *p);

/*
 * The journal of certificate i in p, an empty one if there is none; NULL: it
 * cannot be read, and *pproblem is a sentence. Changes no file.
 */
const acme_journal_t *acme_page_view_journal(const char **pproblem,
                                             const acme_page_view_t *view,
                                             int i, apr_pool_t *p);

#endif
