/*
 * scratch.h - a folder for a test, and faults at any step of what it tests.
 *
 * Each test has a folder of its own, scratch_dir. The program's own fsync(),
 * syncfs(), rename(), mkdir(), symlink() and unlinkat() stand before libc's:
 * the step that scratch_step counts down to fails, or is where the process dies.
 *
 * They also know what a power failure could take. A test fails at its end if a
 * link was made to lead there, or what lasted was replaced by what does not.
 */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "pool.h"

extern char scratch_dir[64];
extern int scratch_step;        /* 0: no faults; 1: the next step */
extern int scratch_errno;       /* how that step fails; 0: dies */
extern int scratch_no_syncfs;   /* as where there is no such call */
extern long scratch_fs;         /* the file system's type, as of fstatfs() */
extern const char *scratch_unsyncable;  /* fsync() of it fails; NULL: of none */
extern int scratch_syncs;       /* how often fsync() was called */
extern int scratch_counts_files;        /* a new file is a step, too */

/* Was it made to last, with its name, as far as the program's calls go? */
int scratch_lasts(const char *path);

int scratch_setup(void **state);
int scratch_teardown(void **state);

/* A path below the scratch folder, from a format. */
const char *at(const char *fmt, ...);

void put(const char *path, const char *text);

/* The text of a small file, or NULL. */
const char *text_of(const char *path);

/* The mode without the type, or -1 when there is nothing. */
int mode_of(const char *path);

/*
 * The folder to becomes what from is, and lasts: what was there goes. Files
 * have less than 64 KiB.
 */
void copy_folder(const char *from, const char *to);

/* How many names a folder has; -1 when there is none. */
int count(const char *path);

#define SCRATCH_TEST(test) \
    cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

#endif
