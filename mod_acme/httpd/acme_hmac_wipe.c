/*
 * acme_hmac_wipe.c - the HMAC keys that stand in the configuration itself.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <apr_cstr.h>
#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <http_main.h>

#include "acme_cleanse.h"
#include "acme_hmac_wipe.h"

#define DIRECTIVE "AcmeExternalAccount"

#define CHUNK 65536             /* octets of memory looked at in one piece */
#define SECRET_MAX 4096         /* octets; the parser takes less */
#define CHARACTERS_MIN 8        /* different ones: so many has no other text */

/* Address space that is only reserved, as sanitizers do, has no text. */
#define MAPPING_MAX ((apr_uint64_t)4 << 30)

typedef struct secret_t {
    struct secret_t *next;
    char *text;
    apr_size_t len;
    int is_left;                /* others need it as well */
} secret_t;

/* This pass's. */
static secret_t *secrets;

static apr_status_t end_pass(void *unused)
{
    (void)unused;
    acme_hmac_wipe_worker();
    secrets = NULL;
    return APR_SUCCESS;
}

const char *acme_hmac_wipe_add(const char *text, apr_pool_t *pconf)
{
    secret_t *secret;

    for (secret = secrets; secret; secret = secret->next) {
        if (!strcmp(secret->text, text)) {
            return secret->text;
        }
    }
    if (!secrets) {
        apr_pool_cleanup_register(pconf, NULL, end_pass,
                                  apr_pool_cleanup_null);
    }
    secret = apr_pcalloc(pconf, sizeof(*secret));
    secret->text = apr_pstrdup(pconf, text);
    secret->len = strlen(text);
    secret->next = secrets;
    secrets = secret;
    return secret->text;
}

static int is_telling(const char *text)
{
    char seen[256] = { 0 };
    int different = 0;

    for (; *text; text++) {
        different += !seen[(unsigned char)*text];
        seen[(unsigned char)*text] = 1;
    }
    return different >= CHARACTERS_MIN;
}

static int is_in_words(const apr_array_header_t *words, const char *text)
{
    int i;

    for (i = 0; words && i < words->nelts; i++) {
        if (strstr(APR_ARRAY_IDX(words, i, const char *), text)) {
            return 1;
        }
    }
    return 0;
}

/* A reload reads the environment and the command line again. */
static int is_read_again(const char *text)
{
    char **variable;

    for (variable = environ; *variable; variable++) {
        if (strstr(*variable, text)) {
            return 1;
        }
    }
    return is_in_words(ap_server_pre_read_config, text)
        || is_in_words(ap_server_post_read_config, text);
}

/* The words of a directive of another module, as that one sees them. */
static const char *others_words(const ap_directive_t *node, apr_pool_t *p)
{
    if (!node->args || !apr_cstr_casecmp(node->directive, DIRECTIVE)) {
        return "";
    }
    return strstr(node->args, "${") ? ap_resolve_env(p, node->args)
                                    : node->args;
}

static void leave_others(const ap_directive_t *node, apr_pool_t *p)
{
    secret_t *secret;

    for (; node; node = node->next) {
        const char *words = others_words(node, p);

        for (secret = secrets; secret; secret = secret->next) {
            secret->is_left |= strstr(words, secret->text) != NULL;
        }
        leave_others(node->first_child, p);
    }
}

static int choose_left(apr_pool_t *p)
{
    secret_t *secret;
    int left = 0;

    leave_others(ap_conftree, p);
    for (secret = secrets; secret; secret = secret->next) {
        secret->is_left |= !is_telling(secret->text)
            || is_read_again(secret->text);
        left += secret->is_left;
    }
    return left;
}

static void wipe_nodes(ap_directive_t *node)
{
    const secret_t *secret;
    char *found;

    for (; node; node = node->next) {
        for (secret = secrets; secret; secret = secret->next) {
            if (node->args && !secret->is_left
                && (found = (char *)strstr(node->args, secret->text))) {
                memset(found, '*', secret->len);
            }
        }
        wipe_nodes(node->first_child);
    }
}

#ifdef __linux__
static int is_our_copy(apr_uint64_t address)
{
    const secret_t *secret;

    for (secret = secrets; secret; secret = secret->next) {
        if (address == (apr_uint64_t)(apr_uintptr_t)secret->text) {
            return 1;
        }
    }
    return 0;
}

/*
 * By the kernel and not by a pointer: nobody promised that this memory is
 * there, or in use.
 */
static void overwrite(int mem, apr_uint64_t address, apr_size_t len)
{
    static const char stars[] = "********************************";
    apr_size_t part;

    for (; len; len -= part, address += part) {
        part = len < sizeof(stars) - 1 ? len : sizeof(stars) - 1;
        if (pwrite(mem, stars, part, (off_t)address) < 0) {
            return;
        }
    }
}

static void wipe_chunk(int mem, const char *chunk, apr_size_t len,
                       apr_uint64_t address)
{
    const secret_t *secret;
    const char *at, *end = chunk + len;

    for (secret = secrets; secret; secret = secret->next) {
        for (at = chunk; at < end && !secret->is_left; at++) {
            at = memmem(at, (apr_size_t)(end - at), secret->text,
                        secret->len);
            if (!at) {
                break;
            }
            if (!is_our_copy(address + (apr_uint64_t)(at - chunk))) {
                overwrite(mem, address + (apr_uint64_t)(at - chunk),
                          secret->len);
            }
        }
    }
}

/* Pieces overlap, so that none cuts a secret in two. */
static void wipe_mapping(int mem, apr_uint64_t begin, apr_uint64_t end)
{
    char chunk[CHUNK + SECRET_MAX];
    apr_uint64_t address;

    for (address = begin; address < end; address += CHUNK) {
        const apr_uint64_t left = end - address;
        ssize_t n = pread(mem, chunk, left < sizeof(chunk) ? (size_t)left
                                                           : sizeof(chunk),
                          (off_t)address);

        if (n > 0) {
            wipe_chunk(mem, chunk, (apr_size_t)n, address);
        }
    }
    acme_cleanse(chunk, sizeof(chunk));
}

/* All that we wrote to and share with nobody: heap, stack, statics. */
static void wipe_memory(void)
{
    int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
    FILE *maps = fopen("/proc/self/maps", "re");
    unsigned long long begin, end;
    char line[512];
    char rights[5];

    while (mem >= 0 && maps && fgets(line, sizeof(line), maps)) {
        if (sscanf(line, "%llx-%llx %4s", &begin, &end, rights) == 3
            && !strncmp(rights, "rw", 2) && rights[3] == 'p'
            && end - begin <= MAPPING_MAX) {
            wipe_mapping(mem, begin, end);
        }
    }
    if (maps) {
        fclose(maps);
    }
    if (mem >= 0) {
        close(mem);
    }
}
#endif

int acme_hmac_wipe_parent(apr_pool_t *ptemp)
{
    int left;

    if (!secrets) {
        return 0;
    }
    left = choose_left(ptemp);
    wipe_nodes(ap_conftree);
#ifdef __linux__
    wipe_memory();
#endif
    return left;
}

void acme_hmac_wipe_worker(void)
{
    const secret_t *secret;

    for (secret = secrets; secret; secret = secret->next) {
        acme_cleanse(secret->text, secret->len);
    }
}
