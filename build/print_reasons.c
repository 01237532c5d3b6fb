/*
 * print_reasons.c - prints the one table of reasons, a line each: code, fault,
 * sentence and remedy, with tabs between. build/update-manual makes
 * docs/troubleshooting.md of it.
 */
#include <stdio.h>

#include "acme_reason.h"

int main(void)
{
    const acme_reason_t *reason;
    int i;

    for (i = ACME_REASON_NONE + 1; i < ACME_REASONS; i++) {
        reason = acme_reason_about((acme_reason_e)i);
        printf("%s\t%s\t%s\t%s\n", reason->code,
               acme_reason_fault_word(reason->fault), reason->sentence,
               reason->remedy);
    }
    return 0;
}
