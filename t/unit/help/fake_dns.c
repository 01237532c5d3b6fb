/*
 * fake_dns.c - one process, a poll over all sockets, answers made of lines.
 *
 * It ends when its parent does, whatever way: then a pipe closes.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_dns.h"

#define ROWS_MAX 128
#define MESSAGE_MAX 65535
#define HEADER_SIZE 12
#define BIG_TXT 5000
#define MANY_TXT 100

/* Seen by both processes. */
typedef struct {
    int asked[ROWS_MAX];
    int desired[2];
} counts_t;

typedef struct {
    unsigned char octets[MESSAGE_MAX + 1];
    size_t len;
} message_t;

static const struct {
    const char *name;
    int type;
} types[] = {
    { "A", 1 }, { "NS", 2 }, { "CNAME", 5 }, { "SOA", 6 }, { "TXT", 16 },
    { "AAAA", 28 }, { "CAA", 257 }
};

static struct {
    counts_t *counts;
    const fake_dns_row_t *rows;
    pid_t pid;
    int alive;                  /* closed: the child ends */
    char port[8];
    int udp[FAKE_DNS_SERVERS], tcp[FAKE_DNS_SERVERS];
} fake;

static int type_number(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(types) / sizeof(*types); i++) {
        if (!strcmp(types[i].name, name)) {
            return types[i].type;
        }
    }
    return 0;
}

static void add(message_t *m, const void *data, size_t len)
{
    if (len <= MESSAGE_MAX - m->len) {
        memcpy(m->octets + m->len, data, len);
        m->len += len;
    }
}

static void add_number(message_t *m, unsigned long n, int octets)
{
    unsigned char c;

    while (octets--) {
        c = (unsigned char)(n >> 8 * octets);
        add(m, &c, 1);
    }
}

static void put_number(message_t *m, size_t at, unsigned n)
{
    m->octets[at] = (unsigned char)(n >> 8);
    m->octets[at + 1] = (unsigned char)n;
}

static void add_name(message_t *m, const char *name)
{
    size_t len;

    name += *name == '.';       /* the root */
    while (*name) {
        len = strcspn(name, ".");
        add_number(m, len, 1);
        add(m, name, len);
        name += len + (name[len] == '.');
    }
    add_number(m, 0, 1);
}

static void add_txt(message_t *m, const char *text)
{
    static char big[BIG_TXT + 1];
    size_t len;

    if (!strcmp(text, "@")) {
        memset(big, 'x', BIG_TXT);
        text = big;
    }
    do {
        len = strlen(text) < 255 ? strlen(text) : 255;
        add_number(m, len, 1);
        add(m, text, len);
        text += len;
    } while (*text);
}

static void add_record(message_t *m, const char *owner, int type,
                       const char *data)
{
    unsigned char address[16];
    size_t at, at_tag;

    if (!strcmp(owner, "?")) {
        add_number(m, 0xc000 | HEADER_SIZE, 2);
    }
    else {
        add_name(m, owner);
    }
    add_number(m, (unsigned)type, 2);
    add_number(m, 1, 2);
    add_number(m, 300, 4);
    at = m->len;
    add_number(m, 0, 2);
    switch (type) {
    case 1:
        inet_pton(AF_INET, data, address);
        add(m, address, 4);
        break;
    case 28:
        inet_pton(AF_INET6, data, address);
        add(m, address, 16);
        break;
    case 6:
        add_name(m, "ns.test");
        add_name(m, "admin.test");
        add_number(m, 1, 4);
        add_number(m, 3600, 4);
        add_number(m, 600, 4);
        add_number(m, 86400, 4);
        add_number(m, (unsigned long)atol(data), 4);
        break;
    case 16:
        add_txt(m, data);
        break;
    case 257:                   /* "FLAGS TAG VALUE" */
        add_number(m, (unsigned long)atol(data), 1);
        data += strcspn(data, " ") + 1;
        at_tag = strcspn(data, " ");
        add_number(m, at_tag, 1);
        add(m, data, at_tag);
        data += at_tag + (data[at_tag] == ' ');
        add(m, data, strlen(data));
        break;
    default:
        add_name(m, data);
    }
    put_number(m, at, (unsigned)(m->len - at - 2));
}

static void add_line(message_t *m, const char *line, unsigned *pcount)
{
    char owner[256], type[8], data[4096];
    int i, times = 1;

    if (sscanf(line, "%255s %7s %4095[^\n]", owner, type, data) != 3) {
        _exit(2);
    }
    if (!strcmp(data, "#")) {
        times = MANY_TXT;
    }
    for (i = 0; i < times; i++) {
        if (times > 1) {
            sprintf(data, "value %d", i);
        }
        add_record(m, owner, type_number(type), data);
        ++*pcount;
    }
}

static void add_lines(message_t *m, const char *says)
{
    unsigned counts[2] = { 0, 0 };
    int section = 0;

    while (says && *says) {
        if (*says == '-') {
            section = 1;
        }
        else {
            add_line(m, says, &counts[section]);
        }
        says += strcspn(says, "\n");
        says += *says == '\n';
    }
    put_number(m, 6, counts[0]);
    put_number(m, 8, counts[1]);
}

/* The name of the question, and how long the question is with its header. */
static size_t read_question(char *name, const unsigned char *data, size_t len)
{
    size_t at = HEADER_SIZE, n = 0;

    while (at < len && data[at] && n + data[at] < 255) {
        memcpy(name + n, data + at + 1, data[at]);
        n += data[at];
        name[n++] = '.';
        at += data[at] + 1u;
    }
    name[n ? n - 1 : 0] = '\0';
    return at + 5 <= len ? at + 5 : 0;
}

static const fake_dns_row_t *find_row(int server, const char *name, int type)
{
    const fake_dns_row_t *row;

    for (row = fake.rows; row->server; row++) {
        int *asked = &fake.counts->asked[row - fake.rows];

        if (row->server == server && (!row->name
                                      || !strcasecmp(row->name, name))
            && (!row->type || type_number(row->type) == type)
            && (!row->times || *asked < row->times)) {
            ++*asked;
            return row;
        }
    }
    return NULL;
}

/* The answer to data; m->len is 0 when there is none. */
static const fake_dns_row_t *answer(message_t *m, int server,
                                    const unsigned char *data, size_t len)
{
    static const fake_dns_row_t unknown = { .rcode = 3 };
    const fake_dns_row_t *row;
    char name[256];
    size_t size;

    m->len = 0;
    size = len > HEADER_SIZE ? read_question(name, data, len) : 0;
    if (!size) {
        return &unknown;
    }
    fake.counts->desired[server == 1] += data[2] & 1;
    row = find_row(server, name, data[size - 4] << 8 | data[size - 3]);
    row = row ? row : &unknown;
    add(m, data, size);
    put_number(m, 2, 0x8000u | (server != 1 && !row->lame ? 0x0400 : 0)
                         | (unsigned)row->rcode);
    put_number(m, 10, 0);
    if (row->how == FAKE_DNS_LOOP) {
        add_number(m, 0xc000 | m->len, 2);
        add(m, "\0\20\0\1\0\0\0\0\0\0", 10);
        put_number(m, 6, 1);
        return row;
    }
    add_lines(m, row->says);
    return row;
}

static void send_udp(int fd, message_t *m, size_t len, struct sockaddr_in *to)
{
    sendto(fd, m->octets, len, 0, (struct sockaddr *)to, sizeof(*to));
}

static void serve_udp(int fd, int server)
{
    static message_t m, forged;
    unsigned char data[2048];
    struct sockaddr_in from;
    socklen_t from_len = sizeof(from);
    ssize_t len = recvfrom(fd, data, sizeof(data), 0,
                           (struct sockaddr *)&from, &from_len);
    const fake_dns_row_t *row;

    if (len <= 0) {
        return;
    }
    row = answer(&m, server, data, (size_t)len);
    forged = m;
    forged.octets[0] ^= 0x55;
    put_number(&forged, 6, 0);
    switch (row->how) {
    case FAKE_DNS_SILENT:
        break;
    case FAKE_DNS_WRONG_ID:
        send_udp(fd, &forged, m.len, &from);
        break;
    case FAKE_DNS_FORGED_FIRST:
        send_udp(fd, &forged, m.len, &from);
        send_udp(fd, &m, m.len, &from);
        break;
    case FAKE_DNS_BY_TCP:
        m.octets[2] |= 2;
        put_number(&m, 6, 0);
        put_number(&m, 8, 0);
        send_udp(fd, &m, read_question((char *)data, m.octets, m.len),
                 &from);
        break;
    case FAKE_DNS_CUT:
        send_udp(fd, &m, m.len - 7, &from);
        break;
    default:
        send_udp(fd, &m, m.len, &from);
    }
}

static void serve_tcp(int listener, int server)
{
    static message_t m;
    struct timeval most = { .tv_sec = 2 };
    unsigned char data[2048], size[2];
    int fd = accept(listener, NULL, NULL);
    ssize_t len;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
    if (recv(fd, size, 2, MSG_WAITALL) == 2) {
        len = size[0] << 8 | size[1];
        if (len <= (ssize_t)sizeof(data)
            && recv(fd, data, (size_t)len, MSG_WAITALL) == len) {
            answer(&m, server, data, (size_t)len);
            size[0] = (unsigned char)(m.len >> 8);
            size[1] = (unsigned char)m.len;
            (void)!write(fd, size, 2);
            (void)!write(fd, m.octets, m.len);
        }
    }
    close(fd);
}

static void serve(int alive)
{
    struct pollfd fds[1 + 2 * FAKE_DNS_SERVERS] = {
        { .fd = alive, .events = POLLIN }
    };
    int i;

    for (i = 0; i < FAKE_DNS_SERVERS; i++) {
        fds[1 + 2 * i].fd = fake.udp[i];
        fds[2 + 2 * i].fd = fake.tcp[i];
        fds[1 + 2 * i].events = fds[2 + 2 * i].events = POLLIN;
    }
    while (poll(fds, sizeof(fds) / sizeof(*fds), -1) > 0
           && !fds[0].revents) {
        for (i = 0; i < FAKE_DNS_SERVERS; i++) {
            if (fds[1 + 2 * i].revents) {
                serve_udp(fake.udp[i], i + 1);
            }
            if (fds[2 + 2 * i].revents) {
                serve_tcp(fake.tcp[i], i + 1);
            }
        }
    }
}

static int bind_one(int type, int server, unsigned short *port)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    socklen_t len = sizeof(in);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (unsigned)server - 1);
    in.sin_port = htons(*port);
    if (bind(fd, (struct sockaddr *)&in, len)
        || (type == SOCK_STREAM && listen(fd, 64))) {
        close(fd);
        return -1;
    }
    getsockname(fd, (struct sockaddr *)&in, &len);
    *port = ntohs(in.sin_port);
    return fd;
}

static void close_sockets(void)
{
    int i;

    for (i = 0; i < FAKE_DNS_SERVERS; i++) {
        close(fake.udp[i]);
        close(fake.tcp[i]);
        fake.udp[i] = fake.tcp[i] = -1;
    }
}

/* One free port for all; the first choice is the kernel's. */
static int bind_all(void)
{
    unsigned short port = 0;
    int i, good = 1;

    for (i = 0; i < FAKE_DNS_SERVERS; i++) {
        fake.udp[i] = fake.tcp[i] = -1;
    }
    for (i = 0; good && i < FAKE_DNS_SERVERS; i++) {
        fake.udp[i] = bind_one(SOCK_DGRAM, i + 1, &port);
        fake.tcp[i] = bind_one(SOCK_STREAM, i + 1, &port);
        good = fake.udp[i] >= 0 && fake.tcp[i] >= 0;
    }
    if (!good) {
        close_sockets();
    }
    snprintf(fake.port, sizeof(fake.port), "%hu", port);
    return good;
}

void fake_dns_start(const fake_dns_row_t *rows)
{
    int fds[2], i, good = 0;

    fake.rows = rows;
    fake.counts = mmap(NULL, sizeof(*fake.counts), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(fake.counts != MAP_FAILED);
    for (i = 0; !good && i < 50; i++) {
        good = bind_all();
    }
    assert_true(good);
    assert_int_equal(pipe(fds), 0);
    fake.pid = fork();
    assert_true(fake.pid >= 0);
    if (fake.pid == 0) {
        signal(SIGPIPE, SIG_IGN);
        close(fds[1]);
        serve(fds[0]);
        _exit(0);
    }
    close(fds[0]);
    fake.alive = fds[1];
    close_sockets();
}

void fake_dns_stop(void)
{
    if (fake.pid > 0) {
        close(fake.alive);
        waitpid(fake.pid, NULL, 0);
        munmap(fake.counts, sizeof(*fake.counts));
        fake.pid = 0;
    }
}

const char *fake_dns_port(void)
{
    return fake.port;
}

int fake_dns_asked(int row)
{
    return fake.counts->asked[row];
}

int fake_dns_recursion_desired(int recursive)
{
    return fake.counts->desired[recursive];
}
