/*
 * test_outside.c - files in folders of others, who plant what they like.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "acme_outside.h"
#include "acme_password_file.h"
#include "scratch.h"

#define OTHER 65534             /* a user that is not root */
#define TEMP ".%s.acme-new"

/*
 * What the owner of a folder does at the worst moment. Our own of these
 * functions stand before libc's.
 */
static void (*after_mkdir)(void);
static int bad_mode;            /* a mode that a file had for a moment */

int mkdirat(int dir, const char *path, mode_t mode)
{
    const int rc = (int)syscall(SYS_mkdirat, dir, path, mode);
    void (*const then)(void) = after_mkdir;

    if (!rc && then) {
        after_mkdir = NULL;
        then();
    }
    return rc;
}

/* Is it the group's that it is meant for, whenever a group may read it? */
int fchmod(int fd, mode_t mode)
{
    const int rc = (int)syscall(SYS_fchmod, fd, mode);
    struct stat st;

    if (!rc && !fstat(fd, &st) && (st.st_mode & 070) && st.st_gid == 12) {
        bad_mode = (int)st.st_mode;
    }
    return rc;
}

static acme_outside_rights_t rights;
static int written;

static int setup(void **state)
{
    const int rc = scratch_setup(state);

    chmod(scratch_dir, 0755);
    rights = (acme_outside_rights_t) { 0640, geteuid(), getegid() };
    return rc;
}

static acme_outside_file_t file_with(const char *name, const char *text)
{
    return (acme_outside_file_t) {
        .name = name,
        .data = { (const unsigned char *)text, strlen(text) }
    };
}

static apr_status_t put_out(const char *path, const char *text)
{
    const acme_outside_file_t file = file_with(NULL, text);

    return acme_outside_write(&written, path, &file, &rights, &res, pool);
}

/* privkey.pem and cert.pem of a generation. */
static apr_status_t put_set(const char *path, int n, const char *text)
{
    apr_array_header_t *files = apr_array_make(pool, 2,
                                               sizeof(acme_outside_file_t));

    APR_ARRAY_PUSH(files, acme_outside_file_t) =
        file_with("privkey.pem", apr_pstrcat(pool, "key ", text, NULL));
    APR_ARRAY_PUSH(files, acme_outside_file_t) =
        file_with("cert.pem", apr_pstrcat(pool, "cert ", text, NULL));
    return acme_outside_write_set(&written, path, n, files,
                                  words("privkey.pem cert.pem"), &rights, &res,
                                  pool);
}

static void only_root(void)
{
    if (geteuid()) {
        skip();
    }
}

/* A folder that belongs to somebody else. */
static const char *theirs(void)
{
    const char *path = at("theirs");

    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(chown(path, OTHER, OTHER), 0);
    return path;
}

static void assert_file(const char *path, const char *text)
{
    struct stat st;

    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(st.st_mode & 07777, rights.mode);
    assert_int_equal(st.st_uid, rights.uid);
    assert_int_equal(st.st_gid, rights.gid);
    assert_string_equal(text_of(path), text);
}

static void what_is_as_it_should_be_stays(void **state)
{
    struct stat before, after;

    (void)state;
    assert_int_equal(put_out(at("f"), "one"), 0);
    assert_true(written);
    assert_file(at("f"), "one");
    stat(at("f"), &before);
    assert_int_equal(put_out(at("f"), "one"), 0);
    assert_false(written);
    stat(at("f"), &after);
    assert_int_equal(before.st_ino, after.st_ino);

    assert_int_equal(put_out(at("f"), "two"), 0);
    assert_true(written);
    assert_file(at("f"), "two");
    rights.mode = 0600;
    assert_int_equal(put_out(at("f"), "two"), 0);
    assert_true(written);
    assert_file(at("f"), "two");
    assert_int_equal(count(scratch_dir), 1);
}

static void it_gets_its_owner(void **state)
{
    (void)state;
    only_root();
    rights.uid = OTHER;
    rights.gid = 12;
    assert_int_equal(put_out(at("f"), "one"), 0);
    assert_file(at("f"), "one");
    assert_int_equal(chown(at("f"), 0, 12), 0);
    assert_int_equal(put_out(at("f"), "one"), 0);
    assert_true(written);
    assert_file(at("f"), "one");
}

/* The folder's group, which new files get, is not the one of the key. */
static void the_group_of_the_folder_gets_nothing(void **state)
{
    (void)state;
    only_root();
    assert_int_equal(mkdir(at("theirs"), 0755), 0);
    assert_int_equal(chown(at("theirs"), 0, 12), 0);
    assert_int_equal(chmod(at("theirs"), 02755), 0);
    bad_mode = 0;
    assert_int_equal(put_out(at("theirs/f"), "one"), 0);
    assert_file(at("theirs/f"), "one");
    assert_int_equal(bad_mode, 0);
    assert_int_equal(put_set(at("theirs/"), 1, "one"), 0);
    assert_file(at("theirs/acme-1/privkey.pem"), "key one");
    assert_int_equal(mode_of(at("theirs/acme-1")), 0750);
    assert_int_equal(bad_mode, 0);
}

static int same;

static int is_same(void *baton, acme_octets_t file, apr_pool_t *p)
{
    (void)p;
    assert_ptr_equal(baton, &same);
    assert_memory_equal(file.data, "one", 3);
    return same;
}

static int times_made;

static apr_status_t make_two(acme_octets_t *data, void *baton,
                             acme_result_t *result, apr_pool_t *p)
{
    (void)p;
    assert_ptr_equal(baton, &same);
    if (times_made++) {
        *data = (acme_octets_t) { NULL, 0 };
        return acme_fail(result, APR_EGENERAL, "no more");
    }
    *data = (acme_octets_t) { (const unsigned char *)"one two", 7 };
    return APR_SUCCESS;
}

/* What takes long to make is not made for nothing. */
static void a_file_may_compare_itself(void **state)
{
    acme_outside_file_t file = file_with(NULL, "");
    apr_array_header_t *files = apr_array_make(pool, 1, sizeof(file));

    (void)state;
    assert_int_equal(put_out(at("f"), "one"), 0);
    file.is_same = is_same;
    file.make = make_two;
    file.baton = &same;
    for (times_made = 0, same = 1; same >= 0; same--) {
        assert_int_equal(acme_outside_write(&written, at("f"), &file, &rights,
                                            &res, pool), 0);
        assert_int_equal(written, !same);
        assert_int_equal(times_made, !same);
    }
    assert_file(at("f"), "one two");

    same = 0;
    assert_int_equal(acme_outside_write(&written, at("f"), &file, &rights,
                                        &res, pool), APR_EGENERAL);
    assert_detail("no more");
    assert_detail(at("f"));
    assert_file(at("f"), "one two");

    file.name = "cert.p12";
    APR_ARRAY_PUSH(files, acme_outside_file_t) = file;
    times_made = 0;
    for (same = 0; same < 2; same++) {
        assert_int_equal(acme_outside_write_set(&written, at("set/"), 1, files,
                                                words("cert.p12"), &rights,
                                                &res, pool), 0);
        assert_int_equal(written, !same);
        assert_int_equal(times_made, 1);
    }
    assert_file(at("set/current/cert.p12"), "one two");
}

static void a_failing_step_keeps_what_was_there(void **state)
{
    static const int errors[] = { ENOSPC, EROFS, EIO };
    static const char *const texts[] = { "full", "read-only", "cannot" };
    size_t i;
    int step;

    (void)state;
    assert_int_equal(put_out(at("f"), "old"), 0);
    for (i = 0; i < COUNT(errors); i++) {
        scratch_errno = errors[i];
        scratch_step = 3;       /* unlink, rmdir, fsync of the file */
        assert_int_equal(put_out(at("f"), "new"), errors[i]);
        step = scratch_step;
        scratch_step = 0;
        assert_int_equal(step, 0);
        assert_detail(at("f"));
        assert_detail(texts[i]);
        assert_file(at("f"), "old");
        assert_int_equal(count(scratch_dir), 1);
    }
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    assert_int_equal(put_out(at("none/f"), "x"), ENOENT);
    assert_detail(at("none/f"));
    assert_detail("does not exist, create it");
    put(at("file"), "");
    assert_int_equal(put_out(at("file/f"), "x"), ENOTDIR);
    assert_int_equal(mkdir(at("folder"), 0755), 0);
    assert_int_equal(put_out(at("folder"), "x"), EISDIR);
    assert_detail("s a directory");
    assert_int_equal(count(scratch_dir), 2);
    assert_int_equal(put_set(at("none/set/"), 1, "x"), ENOENT);
}

/* A file that nobody may touch, to which all plants lead. */
static const char *victim(void)
{
    const char *path = at("victim");

    put(path, "untouched");
    assert_int_equal(chmod(path, 0600), 0);
    return path;
}

static void assert_untouched(void)
{
    struct stat st;

    assert_string_equal(text_of(at("victim")), "untouched");
    assert_int_equal(stat(at("victim"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_uid, 0);
    assert_int_equal(st.st_nlink, 1);
}

enum { LINK, DANGLING, FIFO, FOLDER, FULL_FOLDER, FILE_OF_OTHERS, PLANTS };

static void plant(int what, const char *path)
{
    switch (what) {
    case LINK:
        assert_int_equal(symlink(at("victim"), path), 0);
        break;
    case DANGLING:
        assert_int_equal(symlink(at("made"), path), 0);
        break;
    case FIFO:
        assert_int_equal(mkfifo(path, 0666), 0);
        break;
    case FOLDER:
    case FULL_FOLDER:
        assert_int_equal(mkdir(path, 0777), 0);
        if (what == FULL_FOLDER) {
            put(apr_pstrcat(pool, path, "/x", NULL), "");
        }
        break;
    default:
        put(path, "secret");    /* the same text, and readable for all */
        assert_int_equal(chmod(path, 0644), 0);
    }
    assert_int_equal(lchown(path, OTHER, OTHER), 0);
}

static void what_is_planted_at_its_name_is_replaced(void **state)
{
    const char *folder, *path;
    int what;

    (void)state;
    only_root();
    victim();
    folder = theirs();
    path = apr_pstrcat(pool, folder, "/f", NULL);
    for (what = 0; what < PLANTS; what++) {
        plant(what, path);
        if (what == FOLDER || what == FULL_FOLDER) {
            assert_int_equal(put_out(path, "secret"), EISDIR);
            assert_detail(path);
            if (what == FULL_FOLDER) {
                unlink(apr_pstrcat(pool, path, "/x", NULL));
            }
            assert_int_equal(rmdir(path), 0);
            continue;
        }
        assert_int_equal(put_out(path, "secret"), 0);
        assert_true(written);
        assert_file(path, "secret");
        assert_int_equal(unlink(path), 0);
    }
    assert_untouched();
    assert_int_equal(access(at("made"), F_OK), -1);
    assert_int_equal(count(folder), 0);
}

static void what_is_planted_at_the_name_before_is_not_used(void **state)
{
    const char *folder, *path, *temp;
    int what;

    (void)state;
    only_root();
    victim();
    folder = theirs();
    path = apr_pstrcat(pool, folder, "/f", NULL);
    temp = apr_psprintf(pool, "%s/" TEMP, folder, "f");
    for (what = 0; what < PLANTS; what++) {
        plant(what, temp);
        if (what == FULL_FOLDER) {
            assert_int_equal(put_out(path, "secret"), EEXIST);
            assert_detail(path);
            unlink(apr_pstrcat(pool, temp, "/x", NULL));
            assert_int_equal(rmdir(temp), 0);
            continue;
        }
        assert_int_equal(put_out(path, "secret"), 0);
        assert_file(path, "secret");
        assert_int_equal(unlink(path), 0);
    }
    assert_untouched();
    assert_int_equal(access(at("made"), F_OK), -1);
    assert_int_equal(count(folder), 0);
}

/* Of root's own folder, but this one is below /tmp, where all may write. */
static void a_link_on_the_way_is_not_followed(void **state)
{
    (void)state;
    only_root();
    assert_int_equal(mkdir(at("elsewhere"), 0755), 0);
    assert_int_equal(symlink(at("elsewhere"), at("link")), 0);
    assert_int_equal(put_out(at("link/f"), "x"), ENOTDIR);
    assert_detail("which is not followed");
    assert_int_equal(put_set(at("link/"), 1, "x"), ENOTDIR);
    assert_int_equal(count(at("elsewhere")), 0);
}

/* In folders that nobody but root can change links are an administrator's. */
static void a_link_of_the_administrator_is_followed(void **state)
{
    char top[] = "/run/acme-test-XXXXXX";
    const char *real, *link, *out;

    (void)state;
    only_root();
    if (!mkdtemp(top)) {
        skip();
    }
    real = apr_pstrcat(pool, top, "/real", NULL);
    link = apr_pstrcat(pool, top, "/link", NULL);
    out = apr_pstrcat(pool, top, "/out", NULL);
    assert_int_equal(mkdir(real, 0755), 0);
    assert_int_equal(symlink(apr_psprintf(pool, "./../%s//real", top + 5),
                             link), 0);
    assert_int_equal(put_out(apr_pstrcat(pool, link, "/f", NULL), "x"), 0);
    assert_file(apr_pstrcat(pool, real, "/f", NULL), "x");

    /* One that leads on to a link of somebody else's ends there. */
    assert_int_equal(mkdir(at("elsewhere"), 0755), 0);
    assert_int_equal(symlink(at("elsewhere"), at("link")), 0);
    assert_int_equal(symlink(at("link"), out), 0);
    assert_int_equal(put_out(apr_pstrcat(pool, out, "/f", NULL), "x"),
                     ENOTDIR);
    assert_int_equal(count(at("elsewhere")), 0);

    unlink(apr_pstrcat(pool, real, "/f", NULL));
    unlink(link);
    unlink(out);
    rmdir(real);
    assert_int_equal(rmdir(top), 0);
}

/* user::rwx, user:OTHER:rwx, group::rwx, mask::rwx, other::--- */
static const unsigned char everything[] = {
    2, 0, 0, 0,
    0x01, 0, 7, 0, 0xff, 0xff, 0xff, 0xff,
    0x02, 0, 7, 0, 0xfe, 0xff, 0, 0,
    0x04, 0, 7, 0, 0xff, 0xff, 0xff, 0xff,
    0x10, 0, 7, 0, 0xff, 0xff, 0xff, 0xff,
    0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff
};

static void assert_no_list(const char *path)
{
    char buf[256];

    assert_int_equal(getxattr(path, "system.posix_acl_access", buf,
                              sizeof(buf)), -1);
    assert_int_equal(getxattr(path, "system.posix_acl_default", buf,
                              sizeof(buf)), -1);
}

static void a_folder_hands_down_no_access(void **state)
{
    (void)state;
    if (setxattr(scratch_dir, "system.posix_acl_default", everything,
                 sizeof(everything), 0)) {
        skip();
    }
    assert_int_equal(put_out(at("f"), "x"), 0);
    assert_file(at("f"), "x");
    assert_no_list(at("f"));
    assert_int_equal(put_set(at("set/"), 1, "x"), 0);
    assert_no_list(at("set"));
    assert_no_list(at("set/acme-1"));
    assert_no_list(at("set/acme-1/privkey.pem"));
}

static const char *link_of(const char *path)
{
    char text[256];
    const ssize_t n = readlink(path, text, sizeof(text) - 1);

    return n < 0 ? "none" : apr_pstrmemdup(pool, text, (apr_size_t)n);
}

static void a_set_is_swapped_as_one(void **state)
{
    (void)state;
    rights.mode = 0640;
    assert_int_equal(put_set(at("set/"), 7, "a"), 0);
    assert_true(written);
    assert_int_equal(mode_of(at("set")), 0755);
    assert_int_equal(mode_of(at("set/acme-7")), 0750);
    assert_string_equal(link_of(at("set/current")), "acme-7");
    assert_file(at("set/current/privkey.pem"), "key a");
    assert_file(at("set/current/cert.pem"), "cert a");
    assert_int_equal(put_set(at("set/"), 7, "a"), 0);
    assert_false(written);

    /* The number is taken by something else. */
    assert_int_equal(put_set(at("set/"), 7, "b"), 0);
    assert_true(written);
    assert_string_equal(link_of(at("set/current")), "acme-7.1");
    assert_file(at("set/acme-7/privkey.pem"), "key a");

    /* Two are kept, and whatever is not ours. */
    put(at("set/acme-7/mine"), "");
    put(at("set/notes"), "");
    assert_int_equal(mkdir(at("set/2025"), 0755), 0);
    assert_int_equal(put_set(at("set/"), 8, "c"), 0);
    assert_int_equal(put_set(at("set/"), 9, "d"), 0);
    assert_string_equal(link_of(at("set/current")), "acme-9");
    assert_file(at("set/acme-8/cert.pem"), "cert c");
    assert_int_equal(mode_of(at("set/acme-7.1")), -1);
    assert_int_equal(mode_of(at("set/acme-7/privkey.pem")), -1);
    assert_int_equal(mode_of(at("set/acme-7/mine")), 0644);
    assert_int_equal(count(at("set")), 6);
}

static void a_damaged_set_is_written_anew(void **state)
{
    (void)state;
    assert_int_equal(put_set(at("set/"), 1, "a"), 0);
    assert_int_equal(unlink(at("set/acme-1/cert.pem")), 0);
    assert_int_equal(put_set(at("set/"), 1, "a"), 0);
    assert_string_equal(link_of(at("set/current")), "acme-1.1");
    assert_int_equal(chmod(at("set/acme-1.1/privkey.pem"), 0644), 0);
    assert_int_equal(put_set(at("set/"), 1, "a"), 0);
    assert_file(at("set/current/privkey.pem"), "key a");
    assert_int_equal(chmod(at("set/current"), 0755), 0);
    assert_int_equal(put_set(at("set/"), 1, "a"), 0);
    assert_true(written);
    assert_int_equal(unlink(at("set/current")), 0);
    assert_int_equal(put_set(at("set/"), 1, "a"), 0);
    assert_file(at("set/current/privkey.pem"), "key a");
}

static void plants_in_a_set_lead_nowhere(void **state)
{
    const char *folder;

    (void)state;
    only_root();
    victim();
    folder = apr_pstrcat(pool, theirs(), "/", NULL);
    assert_int_equal(mkdir(at("elsewhere"), 0755), 0);
    put(at("elsewhere/privkey.pem"), "kept");
    assert_int_equal(symlink(at("elsewhere"), at("theirs/acme-1")), 0);
    assert_int_equal(symlink(at("elsewhere"), at("theirs/current")), 0);
    assert_int_equal(symlink(at("elsewhere"),
                             at("theirs/.current.acme-new")), 0);
    assert_int_equal(put_set(folder, 1, "a"), 0);
    assert_string_equal(link_of(at("theirs/current")), "acme-1.1");
    assert_file(at("theirs/current/privkey.pem"), "key a");

    /* Links with the names of old sets are not gone into. */
    assert_int_equal(put_set(folder, 2, "b"), 0);
    assert_int_equal(put_set(folder, 3, "c"), 0);
    assert_string_equal(text_of(at("elsewhere/privkey.pem")), "kept");
    assert_int_equal(count(at("elsewhere")), 1);
    assert_untouched();

    /* A folder in the place of the link stays, and is named. */
    assert_int_equal(unlink(at("theirs/current")), 0);
    assert_int_equal(mkdir(at("theirs/current"), 0755), 0);
    assert_int_equal(put_set(folder, 4, "d"), EISDIR);
    assert_detail(folder);
    assert_int_equal(mode_of(at("theirs/acme-4")), -1);
}

/* A folder of root's, which its owner could not look into, gets the name. */
static void exchange(void)
{
    assert_int_equal(rename(at("theirs/acme-2"), at("theirs/away")), 0);
    assert_int_equal(rename(at("theirs/private"), at("theirs/acme-2")), 0);
}

static void an_exchanged_folder_is_not_given_away(void **state)
{
    const char *folder;

    (void)state;
    only_root();
    folder = apr_pstrcat(pool, theirs(), "/", NULL);
    rights.uid = OTHER;
    assert_int_equal(put_set(folder, 1, "a"), 0);
    assert_int_equal(mkdir(at("theirs/private"), 0700), 0);
    put(at("theirs/private/privkey.pem"), "kept");
    after_mkdir = exchange;
    assert_int_equal(put_set(folder, 2, "b"), EPERM);
    assert_detail(folder);
    assert_string_equal(link_of(at("theirs/current")), "acme-1");
    assert_int_equal(mode_of(at("theirs/acme-2")), 0700);
    assert_string_equal(text_of(at("theirs/acme-2/privkey.pem")), "kept");
    assert_int_equal(count(at("theirs/acme-2")), 1);

    /* As an old set it is not emptied either. */
    assert_int_equal(put_set(folder, 3, "c"), 0);
    assert_int_equal(put_set(folder, 4, "d"), 0);
    assert_int_equal(mode_of(at("theirs/acme-1")), -1);
    assert_string_equal(text_of(at("theirs/acme-2/privkey.pem")), "kept");
}

static void exchange_top(void)
{
    assert_int_equal(rename(at("theirs/set"), at("theirs/away")), 0);
    assert_int_equal(rename(at("theirs/private"), at("theirs/set")), 0);
}

static void nor_is_it_opened_to_all(void **state)
{
    (void)state;
    only_root();
    theirs();
    assert_int_equal(mkdir(at("theirs/private"), 0700), 0);
    put(at("theirs/private/x"), "");
    after_mkdir = exchange_top;
    (void)put_set(at("theirs/set/"), 1, "a");
    assert_null(after_mkdir);
    assert_int_equal(mode_of(at("theirs/set")), 0700);
}

/* A job that is ended in the middle leaves a set that is newer than the one
   that a reader may have open. */
static void the_one_before_is_kept_not_what_is_unfinished(void **state)
{
    (void)state;
    assert_int_equal(put_set(at("set/"), 1, "a"), 0);
    assert_int_equal(put_set(at("set/"), 2, "b"), 0);
    assert_int_equal(rename(at("set/acme-1"), at("set/acme-3")), 0);
    assert_int_equal(chmod(at("set/acme-3"), 0700), 0);
    assert_int_equal(unlink(at("set/acme-3/cert.pem")), 0);
    assert_int_equal(mkdir(at("set/acme-4"), 0700), 0);
    assert_int_equal(put_set(at("set/"), 5, "c"), 0);
    assert_file(at("set/acme-2/privkey.pem"), "key b");
    assert_file(at("set/current/privkey.pem"), "key c");
    assert_int_equal(count(at("set")), 3);
}

static int write_read_only(void *data)
{
    (void)data;
    if (!mount_small(scratch_dir, "size=64k")) {
        return CHILD_SKIP;
    }
    CHECK(put_out(at("f"), "old") == 0);
    CHECK(mount_read_only(scratch_dir));
    CHECK(put_out(at("f"), "new") == EROFS);
    CHECK(strstr(res.detail, "read-only") != NULL);
    CHECK(put_set(at("set/"), 1, "x") == EROFS);
    CHECK(!strcmp(text_of(at("f")), "old"));
    return 0;
}

static void a_read_only_disk_is_named(void **state)
{
    (void)state;
    assert_child(write_read_only, NULL);
}

static void passwords(void **state)
{
    static const struct {
        const char *name, *text;
        mode_t mode;
        const char *password;   /* NULL: refused */
    } rows[] = {
        { "a line", "secret\n", 0600, "secret" },
        { "without its end", "secret", 0600, "secret" },
        { "of DOS", "secret\r\nmore\r\n", 0640, "secret" },
        { "with spaces", " a b \n", 0600, " a b " },
        { "empty", "", 0600, NULL },
        { "an empty line", "\nsecret\n", 0600, NULL },
        { "a tab", "a\tb\n", 0600, NULL },
        { "for all", "secret\n", 0644, NULL },
        { "written by the group", "secret\n", 0660, NULL },
    };
    const char *password;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const apr_status_t rv =
            (put(at("pw"), rows[i].text), chmod(at("pw"), rows[i].mode),
             acme_password_file_read(&password, at("pw"), &res, pool));

        print_message("%s\n", rows[i].name);
        assert_int_equal(rv == 0, rows[i].password != NULL);
        if (rows[i].password) {
            assert_string_equal(password, rows[i].password);
        }
        else {
            assert_null(password);
            assert_detail(at("pw"));
            assert_null(strstr(res.detail, "secret"));
        }
    }
}

#define OUTSIDE_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        OUTSIDE_TEST(what_is_as_it_should_be_stays),
        OUTSIDE_TEST(it_gets_its_owner),
        OUTSIDE_TEST(the_group_of_the_folder_gets_nothing),
        OUTSIDE_TEST(a_file_may_compare_itself),
        OUTSIDE_TEST(a_failing_step_keeps_what_was_there),
        OUTSIDE_TEST(what_is_missing_is_named),
        OUTSIDE_TEST(what_is_planted_at_its_name_is_replaced),
        OUTSIDE_TEST(what_is_planted_at_the_name_before_is_not_used),
        OUTSIDE_TEST(a_link_on_the_way_is_not_followed),
        OUTSIDE_TEST(a_link_of_the_administrator_is_followed),
        OUTSIDE_TEST(a_folder_hands_down_no_access),
        OUTSIDE_TEST(a_set_is_swapped_as_one),
        OUTSIDE_TEST(a_damaged_set_is_written_anew),
        OUTSIDE_TEST(plants_in_a_set_lead_nowhere),
        OUTSIDE_TEST(an_exchanged_folder_is_not_given_away),
        OUTSIDE_TEST(nor_is_it_opened_to_all),
        OUTSIDE_TEST(the_one_before_is_kept_not_what_is_unfinished),
        OUTSIDE_TEST(a_read_only_disk_is_named),
        OUTSIDE_TEST(passwords),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
