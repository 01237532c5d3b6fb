/*
 * fake_dns.h - DNS servers on loopback that say what a table tells them.
 *
 * They are a process of their own: 127.0.0.1 is the recursive one, 127.0.0.2
 * and so on are name servers of zones, all on one port, UDP and TCP.
 */
#ifndef FAKE_DNS_H
#define FAKE_DNS_H

#define FAKE_DNS_SERVERS 4

typedef enum {
    FAKE_DNS_WHOLE,
    FAKE_DNS_SILENT,
    FAKE_DNS_BY_TCP,            /* UDP: truncated */
    FAKE_DNS_WRONG_ID,          /* and nothing else */
    FAKE_DNS_FORGED_FIRST,      /* a wrong id with no records, then whole */
    FAKE_DNS_CUT,               /* half of it */
    FAKE_DNS_LOOP               /* with a name that points at itself */
} fake_dns_e;

/*
 * A question and its answer. says: records, a line each, "OWNER TYPE DATA";
 * OWNER "?" is the name of the question, as a wildcard has it. Those after a
 * line "-" are in the authority section. Data of an SOA is its
 * minimum. "@" as data of a TXT is 5000 octets, "#" is 100 records of it.
 */
typedef struct {
    int server;                 /* 1: 127.0.0.1, ...; 0 ends the table */
    const char *name;           /* NULL: any */
    const char *type;           /* NULL: any */
    const char *says;           /* NULL: none */
    int rcode;
    int lame;                   /* 127.0.0.1 is never authoritative */
    int times;                  /* 0: ever; else the next such row follows */
    fake_dns_e how;
} fake_dns_row_t;

/* Fails the test when it cannot. What is in no row is NXDOMAIN. */
void fake_dns_start(const fake_dns_row_t *rows);
void fake_dns_stop(void);

/* "53000" */
const char *fake_dns_port(void);

/* How often was the row answered (or not, as it says)? */
int fake_dns_asked(int row);

/* Of all questions to the recursive one, and to the others. */
int fake_dns_recursion_desired(int recursive);

#endif
