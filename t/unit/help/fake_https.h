/*
 * fake_https.h - an https server on loopback that says what a table tells it.
 *
 * A row serves a request; '~' in its texts stands for the server's address
 * ("https://127.0.0.1:port"). Its certificate is made at run time and is its
 * own root.
 */
#ifndef FAKE_HTTPS_H
#define FAKE_HTTPS_H

#include <stddef.h>

typedef struct fake_t fake_t;

typedef enum {
    FAKE_WHOLE,                 /* head, Content-Length, body */
    FAKE_RAW,                   /* head and body as they are, then closed */
    FAKE_HANG,                  /* nothing */
    FAKE_LATE,                  /* whole, after FAKE_LATE_MS */
    FAKE_STALL,                 /* head, half of the body, then nothing */
    FAKE_CUT,                   /* head, half of the body, then closed */
    FAKE_ENDLESS                /* head, body again and again */
} fake_e;

#define FAKE_LATE_MS 2500

typedef struct {
    const char *request;        /* "POST /order"; NULL ends the table */
    const char *head;           /* "201 Created\r\nLocation: ~/order/1" */
    const char *body;           /* NULL: none */
    int times;                  /* 0: ever; else the next such row follows */
    fake_e how;
} fake_row_t;

/* Served from now on; rows must outlive that. Forgets what was logged. */
void fake_serve(fake_t *fake, const fake_row_t *rows);

/* tls_max: TLS1_2_VERSION, ... or 0. Fails the test when it cannot. */
fake_t *fake_start(int tls_max);
void fake_stop(fake_t *fake);

const char *fake_address(const fake_t *fake);
const char *fake_ca_file(const fake_t *fake);

/* "HEAD /nonce\nPOST /order BODY\n"; until the next call. */
const char *fake_log(fake_t *fake);

/* The head of the last request. */
const char *fake_last_head(fake_t *fake);

/* TLS connections since the start. */
int fake_connections(fake_t *fake);

#endif
