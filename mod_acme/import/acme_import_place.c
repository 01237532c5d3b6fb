/*
 * acme_import_place.c - which directives are the server's, and which those of
 * one certificate.
 */
#include <string.h>

#include "acme_import_found.h"
#include "acme_import_place.h"
#include "acme_name.h"

int acme_import_place_is_used(const acme_import_item_t *item)
{
    return !item->is_account && item->result != ACME_IMPORT_SKIPPED;
}

/* Of a single certificate nothing says that they are meant for others. */
static int is_its_own(const char *line)
{
    static const char *const heads[] = { "AcmeKeyTypes ", "AcmeCA ",
                                         "AcmeProfile ", "AcmeMustStaple ",
                                         "AcmeHook " };
    size_t i;

    for (i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
        if (!strncmp(line, heads[i], strlen(heads[i]))) {
            return 1;
        }
    }
    return 0;
}

static acme_import_item_t *item_at(const acme_import_report_t *report, int i)
{
    return &APR_ARRAY_IDX(report->items, i, acme_import_item_t);
}

/* Is line of all used certificates? */
static int is_everywhere(const acme_import_report_t *report, const char *line)
{
    int i;

    for (i = 0; i < report->items->nelts; i++) {
        const acme_import_item_t *item = item_at(report, i);

        if (acme_import_place_is_used(item)
            && !acme_name_in(item->lines, line)) {
            return 0;
        }
    }
    return 1;
}

void acme_import_place_lines(acme_import_report_t *report,
                             const apr_array_header_t *common, int has_others,
                             apr_pool_t *p)
{
    const acme_import_item_t *first = NULL;
    int i, k, used = 0;

    report->lines = apr_array_make(p, 4, sizeof(const char *));
    for (i = 0; i < report->items->nelts; i++) {
        acme_import_item_t *item = item_at(report, i);

        if (!acme_import_place_is_used(item)) {
            continue;
        }
        for (k = 0; k < common->nelts; k++) {
            acme_import_found_add(item->lines, "%s",
                                  APR_ARRAY_IDX(common, k, const char *));
        }
        first = first ? first : item;
        used++;
    }
    for (k = 0; first && !has_others && k < first->lines->nelts; k++) {
        const char *line = APR_ARRAY_IDX(first->lines, k, const char *);

        if (strncmp(line, "AcmeNames ", 10)
            && (used > 1 || !is_its_own(line))
            && is_everywhere(report, line)) {
            acme_import_found_add(report->lines, "%s", line);
        }
    }
    for (i = 0; i < report->items->nelts; i++) {
        acme_import_item_t *item = item_at(report, i);
        apr_array_header_t *own = apr_array_make(p, 2, sizeof(const char *));

        for (k = 0; k < item->lines->nelts; k++) {
            const char *line = APR_ARRAY_IDX(item->lines, k, const char *);

            if (!acme_name_in(report->lines, line)) {
                APR_ARRAY_PUSH(own, const char *) = line;
            }
        }
        item->lines = own;
    }
}
