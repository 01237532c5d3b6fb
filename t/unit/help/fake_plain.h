/*
 * fake_plain.h - an http server on loopback for what is signed by itself.
 *
 * One connection after the other, one request each. What was asked is read
 * after plain_stop(), which joins the thread.
 */
#ifndef FAKE_PLAIN_H
#define FAKE_PLAIN_H

#include <pthread.h>
#include <stddef.h>

#define PLAIN_SIZE (64 * 1024)

typedef struct {
    const char *request;        /* "POST /ocsp"; NULL ends the table */
    const char *status;         /* "200 OK", with headers if need be */
    const char *body;
    size_t len;
} plain_row_t;

typedef struct {
    const plain_row_t *rows;
    int fd;
    pthread_t thread;
    char address[64];           /* "http://127.0.0.1:port" */
    char log[PLAIN_SIZE];       /* "POST /ocsp\n..." */
    char head[PLAIN_SIZE];      /* of the last request */
    char body[PLAIN_SIZE];
    size_t body_len;
} plain_t;

/* Listens; asked for its address, it may still be told its rows. */
void plain_listen(plain_t *plain);

void plain_start(plain_t *plain, const plain_row_t *rows);
void plain_stop(plain_t *plain);

#endif
