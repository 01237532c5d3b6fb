/*
 * child.h - a part of a test in a process of its own.
 *
 * It may die on demand, give up its rights, or see file systems of its own.
 */
#ifndef CHILD_H
#define CHILD_H

#include <stdio.h>

#define CHILD_DIED 77           /* exit code of a process that died on demand */
#define CHILD_SKIP 78           /* exit code: this machine cannot do that */

/* Exit code of a process that runs step(data): what that returned. */
int in_child(int (*step)(void *data), void *data);

/* As in_child(); a child that could not do it skips the test. */
void assert_child(int (*step)(void *data), void *data);

/* In a child: a file system of this size at path, seen by no one else. */
int mount_small(const char *path, const char *options);
int mount_read_only(const char *path);

/* In a child, whose cmocka nobody asks: say where it failed, and leave. */
#define CHECK(that) \
    do { \
        if (!(that)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #that); \
            return 1; \
        } \
    } while (0)

#endif
