/*
 * acme_landlock.h - Linux's Landlock: files are read anywhere, and written in
 * one folder; other processes are neither traced nor signalled.
 */
#ifndef ACME_LANDLOCK_H
#define ACME_LANDLOCK_H

/*
 * Restrict this process for good; it has set PR_SET_NO_NEW_PRIVS. Reading is
 * left, and writing below folder; NULL: neither. Nothing is executed, and, as
 * far as the kernel knows it, no TCP port is bound or connected, no process
 * outside signalled.
 *
 * Returns 0 or an errno: ENOSYS where the kernel has no Landlock, or that of
 * before 5.19, which cannot rename from folder to folder; EOPNOTSUPP where it
 * is turned off.
 */
int acme_landlock_restrict(const char *folder);

#endif
