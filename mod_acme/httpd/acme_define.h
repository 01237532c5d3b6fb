/*
 * acme_define.h - options of httpd's command line that have a value for us.
 */
#ifndef ACME_DEFINE_H
#define ACME_DEFINE_H

/* What follows name ("ACME_TRIAL_LISTENS=") in -D; NULL: there is no such. */
const char *acme_define_value(const char *name);

#endif
