/*
 * acme_published_command.h - the commands that publish and remove a record or a
 * token. For the files acme_published*.c alone.
 *
 * One runs at a time of a record, and of all no more than ACME_HOOKS_MAX.
 */
#ifndef ACME_PUBLISHED_COMMAND_H
#define ACME_PUBLISHED_COMMAND_H

#include "acme_published_table.h"

/* Start one now, after the running one of the record, or when there is a place;
   not again if the same runs. */
void acme_published_command_start(acme_published_record_t *record,
                                  acme_published_action_e action);

/* Remove what no certificate needs any more. The record may be gone. */
void acme_published_command_remove(acme_published_record_t *record);

#endif
