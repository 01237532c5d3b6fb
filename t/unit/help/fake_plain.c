/*
 * fake_plain.c - a thread that reads a request, answers it and closes.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fake_plain.h"
#include "pool.h"

/* A request into head and body; 0 when the client went before its end. */
static int plain_receive(plain_t *plain, int fd)
{
    static char buf[PLAIN_SIZE];
    size_t len = 0, need = 0;
    const char *length;
    char *end = NULL;
    ssize_t n;

    while (!end || len < (size_t)(end + 4 - buf) + need) {
        n = read(fd, buf + len, sizeof(buf) - 1 - len);
        if (n <= 0) {
            return 0;
        }
        len += (size_t)n;
        buf[len] = '\0';
        end = end ? end : strstr(buf, "\r\n\r\n");
        length = strstr(buf, "Content-Length: ");
        need = length ? strtoul(length + 16, NULL, 10) : 0;
    }
    end[2] = '\0';
    strcpy(plain->head, buf);
    plain->body_len = need;
    memcpy(plain->body, end + 4, need);
    return 1;
}

static void plain_answer(plain_t *plain, int fd)
{
    size_t len = strcspn(strchr(plain->head, ' ') + 1, " ")
                 + strcspn(plain->head, " ") + 1;
    size_t used = strlen(plain->log);
    const plain_row_t *row = plain->rows;

    snprintf(plain->log + used, sizeof(plain->log) - used, "%.*s\n", (int)len,
             plain->head);
    while (row->request && (strlen(row->request) != len
                            || strncmp(row->request, plain->head, len))) {
        row++;
    }
    if (!row->request) {
        dprintf(fd, "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
        return;
    }
    dprintf(fd, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n"
            "Connection: close\r\n\r\n", row->status, row->len);
    (void)!write(fd, row->body, row->len);
}

static void *plain_serve(void *data)
{
    plain_t *plain = data;
    int fd;

    while ((fd = accept(plain->fd, NULL, NULL)) >= 0) {
        if (plain_receive(plain, fd)) {
            plain_answer(plain, fd);
        }
        close(fd);
    }
    return NULL;
}

void plain_listen(plain_t *plain)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    socklen_t len = sizeof(in);

    memset(plain, 0, sizeof(*plain));
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    plain->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(plain->fd, (struct sockaddr *)&in, len), 0);
    assert_int_equal(listen(plain->fd, 8), 0);
    getsockname(plain->fd, (struct sockaddr *)&in, &len);
    snprintf(plain->address, sizeof(plain->address), "http://127.0.0.1:%d",
             ntohs(in.sin_port));
}

void plain_start(plain_t *plain, const plain_row_t *rows)
{
    plain->rows = rows;
    assert_int_equal(pthread_create(&plain->thread, NULL, plain_serve, plain),
                     0);
}

void plain_stop(plain_t *plain)
{
    shutdown(plain->fd, SHUT_RDWR);
    pthread_join(plain->thread, NULL);
    close(plain->fd);
}
