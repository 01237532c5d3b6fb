/*
 * log_file.h - a log in the scratch folder, and what was logged.
 */
#ifndef LOG_FILE_H
#define LOG_FILE_H

#include "acme_log.h"

extern const acme_log_t test_log;

/* In a process of its own, that will not be able to open it any more. */
void keep_log_open(void);

/* All of it: lines of "[level] text". */
const char *logged(void);

void assert_logged(const char *text);
void assert_not_logged(const char *text);

/* How many times is it said? */
int times_logged(const char *text);

#endif
