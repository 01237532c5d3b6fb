/*
 * acme_live_pairs.c - memory that the keeper writes, and others only read.
 *
 * First a row for each certificate, then the texts of each, which begin at a
 * page: what was not published for has no page there. To read a hole of this
 * memory through a mapping makes a page of it, so the rows are dense, and texts
 * are read only where a row says that there are some.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acme_cleanse.h"
#include "acme_live_pairs.h"
#include "acme_live_slot.h"

struct acme_live_pairs_t {
    int fd;                     /* -1: this process cannot write */
    int certs;
    apr_size_t rows_len;
    apr_size_t slot_len;
    apr_size_t len;
    const unsigned char *at;    /* read only, for good */
};

static apr_size_t round_up(apr_size_t len)
{
    const apr_size_t page = (apr_size_t)sysconf(_SC_PAGESIZE);

    return (len + page - 1) / page * page;
}

/* No key in a core file. */
static void leave_out_of_dumps(void *at, apr_size_t len)
{
#if defined(MADV_DONTDUMP)
    (void)madvise(at, len, MADV_DONTDUMP);
#elif defined(MADV_NOCORE)
    (void)madvise(at, len, MADV_NOCORE);
#else
    (void)at;
    (void)len;
#endif
}

#if (defined(__linux__) && defined(MFD_ALLOW_SEALING)) \
    || (defined(SHM_ANON) && defined(PROT_MAX))

/* Memory with a descriptor counts as a file. Behind the limit the kernel sends
   SIGXFSZ, which ends httpd as long as it starts. */
static int set_length(int fd, apr_size_t len)
{
    struct rlimit limit;

    if (!getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur != RLIM_INFINITY
        && len > limit.rlim_cur) {
        errno = EFBIG;
        return -1;
    }
    return ftruncate(fd, (off_t)len);
}

#endif

#if defined(__linux__) && defined(MFD_ALLOW_SEALING)

/* Its length is for good: where it shrinks, a reader would be killed. It cannot
   be sealed against writing, as a keeper after this one writes, too. */
static int make_memory(apr_size_t len)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = -1, error;

#ifdef MFD_NOEXEC_SEAL
    fd = memfd_create("acme-live", flags | MFD_NOEXEC_SEAL);
#endif
    if (fd < 0) {
        fd = memfd_create("acme-live", flags);
    }
    if (fd < 0
        || (!fchmod(fd, S_IRUSR | S_IWUSR) && !set_length(fd, len)
            && !fcntl(fd, F_ADD_SEALS, seals))) {
        return fd;
    }
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* A mapping of a descriptor that can write could be made writable: this one is
   opened anew for reading, and closed when it is mapped. */
static void *map_for_reading(int fd, apr_size_t len)
{
    void *at = MAP_FAILED;
    char path[64];
    int reader, error;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    reader = open(path, O_RDONLY | O_CLOEXEC);
    if (reader >= 0) {
        at = mmap(NULL, len, PROT_READ, MAP_SHARED, reader, 0);
        error = errno;
        close(reader);
        errno = error;
    }
    return at;
}

#elif defined(SHM_ANON) && defined(PROT_MAX)

static int make_memory(apr_size_t len)
{
    const int fd = shm_open(SHM_ANON, O_RDWR, S_IRUSR | S_IWUSR);

    if (fd >= 0 && set_length(fd, len)) {
        close(fd);
        return -1;
    }
    return fd;
}

static void *map_for_reading(int fd, apr_size_t len)
{
    return mmap(NULL, len, PROT_READ | PROT_MAX(PROT_READ), MAP_SHARED, fd, 0);
}

#else

static int make_memory(apr_size_t len)
{
    (void)len;
    errno = ENOSYS;
    return -1;
}

static void *map_for_reading(int fd, apr_size_t len)
{
    (void)fd;
    (void)len;
    return MAP_FAILED;
}

#endif

/* A kernel that lacks it says ENOSYS, as does a filter that refuses it; where
   /proc is not mounted nothing can be opened anew. */
static apr_status_t fail_here(acme_result_t *res, int error)
{
    if (error == ENOSYS || error == ENOENT || error == EINVAL) {
        return acme_fail(res, APR_ENOTIMPL,
                         "this system has no memory that one process writes and others can only read");
    }
    if (error == EFBIG) {
        return acme_fail(res, error,
                         "memory for the certificates of running workers is longer than files may be (RLIMIT_FSIZE, ulimit -f)");
    }
    return acme_fail(res, error,
                     "memory for the certificates of running workers cannot be had");
}

void acme_live_pairs_forget_writer(acme_live_pairs_t *pairs)
{
    if (pairs->fd >= 0) {
        close(pairs->fd);
        pairs->fd = -1;
    }
}

static apr_status_t unmap(void *data)
{
    acme_live_pairs_t *pairs = data;

    acme_live_pairs_forget_writer(pairs);
    munmap((void *)pairs->at, pairs->len);
    return APR_SUCCESS;
}

apr_status_t acme_live_pairs_create(acme_live_pairs_t **ppairs, int certs,
                                    acme_result_t *res, apr_pool_t *p)
{
    acme_live_pairs_t *pairs = apr_pcalloc(p, sizeof(*pairs));
    void *at = MAP_FAILED;

    *ppairs = NULL;
    pairs->certs = certs;
    pairs->rows_len = round_up(((apr_size_t)certs + 1)
                               * sizeof(acme_live_slot_row_t));
    pairs->slot_len = round_up(ACME_LIVE_PAIRS_OCTETS);
    pairs->len = pairs->rows_len + (apr_size_t)certs * pairs->slot_len;
    pairs->fd = make_memory(pairs->len);
    if (pairs->fd >= 0) {
        at = map_for_reading(pairs->fd, pairs->len);
    }
    if (at == MAP_FAILED) {
        const int error = errno;

        acme_live_pairs_forget_writer(pairs);
        return fail_here(res, error);
    }
    leave_out_of_dumps(at, pairs->len);
    pairs->at = at;
    apr_pool_cleanup_register(p, pairs, unmap, apr_pool_cleanup_null);
    *ppairs = pairs;
    return APR_SUCCESS;
}

static apr_size_t offset_of(const acme_live_pairs_t *live, int cert)
{
    return live->rows_len + (apr_size_t)cert * live->slot_len;
}

static const acme_live_slot_row_t *row_of(const acme_live_pairs_t *live,
                                          int cert)
{
    return (const acme_live_slot_row_t *)(const void *)live->at + cert;
}

static void *map_for_writing(const acme_live_pairs_t *live, apr_size_t offset,
                             apr_size_t len)
{
    void *at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, live->fd,
                    (off_t)offset);

    if (at != MAP_FAILED) {
        leave_out_of_dumps(at, len);
    }
    return at;
}

/* Nothing is mapped for writing but while it is written. */
static apr_status_t replace(acme_live_pairs_t *live, int cert, int archive,
                            const apr_uint32_t *data, apr_size_t octets)
{
    apr_status_t rv = APR_EBADF;
    acme_live_slot_t slot;
    void *rows, *words;

    if (live->fd < 0) {
        return rv;
    }
    rows = map_for_writing(live, 0, live->rows_len);
    words = map_for_writing(live, offset_of(live, cert), live->slot_len);
    rv = errno;
    if (rows != MAP_FAILED && words != MAP_FAILED) {
        slot.row = (acme_live_slot_row_t *)rows + cert;
        slot.words = words;
        slot.max = live->slot_len;
        acme_live_slot_write(&slot, (apr_uint32_t)archive, data, octets);
        rv = APR_SUCCESS;
    }
    if (rows != MAP_FAILED) {
        munmap(rows, live->rows_len);
    }
    if (words != MAP_FAILED) {
        munmap(words, live->slot_len);
    }
    return rv;
}

/* Each text with its NUL, one behind the other. 0: they are too long. */
static apr_size_t put_texts(char *data, const acme_live_pair_t *pairs,
                            int kinds)
{
    apr_size_t used = 0;
    int i;

    for (i = 0; i < 2 * kinds; i++) {
        const char *text = i % 2 ? pairs[i / 2].key : pairs[i / 2].chain;
        const apr_size_t len = strlen(text) + 1;

        if (len > ACME_LIVE_PAIRS_OCTETS - used) {
            return 0;
        }
        memcpy(data + used, text, len);
        used += len;
    }
    return used;
}

apr_status_t acme_live_pairs_publish(acme_live_pairs_t *live, int cert,
                                     int archive,
                                     const acme_live_pair_t *pairs, int kinds,
                                     acme_result_t *res)
{
    apr_uint32_t data[ACME_LIVE_PAIRS_OCTETS / sizeof(apr_uint32_t)];
    apr_status_t rv = ENOSPC;
    apr_size_t octets;

    octets = put_texts((char *)data, pairs, kinds);
    if (octets) {
        memset((char *)data + octets, 0, sizeof(data) - octets);
        rv = replace(live, cert, archive, data, octets);
    }
    acme_cleanse(data, sizeof(data));
    if (rv == ENOSPC) {
        return acme_fail(res, rv,
                         "chain and key are longer than %d octets",
                         ACME_LIVE_PAIRS_OCTETS);
    }
    return rv == APR_SUCCESS ? rv
        : acme_fail(res, rv, "the memory of running workers cannot be written");
}

void acme_live_pairs_withdraw(acme_live_pairs_t *live, int cert)
{
    (void)replace(live, cert, 0, NULL, 0);
}

apr_uint32_t acme_live_pairs_generation(const acme_live_pairs_t *live,
                                        int cert)
{
    return atomic_load_explicit(&row_of(live, cert)->generation,
                                memory_order_acquire);
}

int acme_live_pairs_archive(const acme_live_pairs_t *live, int cert)
{
    return (int)atomic_load_explicit(&row_of(live, cert)->number,
                                     memory_order_acquire);
}

/* The texts in data; false: these cannot be all. */
static int find_texts(acme_live_pairs_read_t *read, const char *data,
                      apr_size_t octets)
{
    apr_size_t at = 0;
    int n = 0;

    if (!octets || data[octets - 1]) {
        return 0;
    }
    while (at < octets) {
        const char *text = data + at;

        if (n == 2 * ACME_LIVE_PAIRS_KINDS || !*text) {
            return 0;
        }
        if (n % 2) {
            read->pairs[n / 2].key = text;
        }
        else {
            read->pairs[n / 2].chain = text;
        }
        n++;
        at += strlen(text) + 1;
    }
    read->kinds = n / 2;
    return n % 2 == 0;
}

apr_status_t acme_live_pairs_read(acme_live_pairs_read_t *read,
                                  const acme_live_pairs_t *live, int cert,
                                  apr_pool_t *p)
{
    acme_live_slot_read_t slot = { .row = row_of(live, cert),
                                   .max = ACME_LIVE_PAIRS_OCTETS };
    apr_status_t rv;

    memset(read, 0, sizeof(*read));
    if (!acme_live_pairs_generation(live, cert)
        && !(atomic_load(&slot.row->sequence) & 1)) {
        return APR_ENOENT;
    }
    slot.words = (const acme_live_slot_word_t *)(const void *)
        (live->at + offset_of(live, cert));
    slot.copy = acme_cleanse_alloc(slot.max, p);
    rv = acme_live_slot_read(&slot);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    read->generation = slot.generation;
    read->archive = (int)slot.number;
    return read->archive > 0
                   && find_texts(read, (const char *)slot.copy, slot.octets)
               ? APR_SUCCESS : APR_EINVAL;
}
