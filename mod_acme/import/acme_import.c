/*
 * acme_import.c - take accounts and certificates of another ACME client over
 * into the store.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "acme_import.h"
#include "acme_import_acme_sh.h"
#include "acme_import_certbot.h"
#include "acme_import_dehydrated.h"
#include "acme_import_lego.h"
#include "acme_import_mod_md.h"
#include "acme_import_pair.h"
#include "acme_import_place.h"
#include "acme_import_store.h"
#include "acme_import_trust.h"
#include "acme_import_vhosts.h"
#include "acme_import_words.h"
#include "acme_name.h"
#include "acme_text.h"

static const struct client {
    const char *word;
    const char *folder;         /* where it is; NULL: anywhere */
    void (*read)(acme_import_found_t *found,
                 const acme_import_file_tree_t *tree);
} clients[] = {
    { "certbot", "/etc/letsencrypt", acme_import_certbot_read },
    { "mod_md", NULL, acme_import_mod_md_read },
    { "acme.sh", NULL, acme_import_acme_sh_read },
    { "lego", NULL, acme_import_lego_read },
    { "dehydrated", NULL, acme_import_dehydrated_read }
};

static const struct client *find_client(const char *word)
{
    size_t i;

    for (i = 0; i < sizeof(clients) / sizeof(*clients); i++) {
        if (!strcmp(clients[i].word, word)) {
            return &clients[i];
        }
    }
    return NULL;
}

/* The account of a certificate; NULL: none was found. */
static acme_import_account_t *account_of(const acme_import_found_t *found,
                                         const acme_import_cert_t *cert)
{
    int i;

    for (i = 0; i < found->accounts->nelts; i++) {
        acme_import_account_t *account = &APR_ARRAY_IDX(
            found->accounts, i, acme_import_account_t);

        if (account->ca && cert->ca && !strcmp(account->ca, cert->ca)
            && (!cert->account || !account->name
                || !strcmp(account->name, cert->account))) {
            return account;
        }
    }
    return NULL;
}

/* The store has one account a CA: that of most certificates. */
static void choose_accounts(acme_import_found_t *found)
{
    int i, k;

    for (i = 0; i < found->certs->nelts; i++) {
        const acme_import_cert_t *cert = &APR_ARRAY_IDX(found->certs, i,
                                                        acme_import_cert_t);
        acme_import_account_t *account = cert->fault
            ? NULL : account_of(found, cert);

        if (account) {
            account->certs++;
        }
    }
    for (i = 0; i < found->accounts->nelts; i++) {
        acme_import_account_t *a = &APR_ARRAY_IDX(found->accounts, i,
                                                  acme_import_account_t);

        for (k = 0; k < found->accounts->nelts; k++) {
            const acme_import_account_t *b = &APR_ARRAY_IDX(
                found->accounts, k, acme_import_account_t);

            if (i != k && !a->fault && !b->fault && !strcmp(a->ca, b->ca)
                && (b->certs > a->certs || (b->certs == a->certs && k < i))) {
                a->fault = "one account is used at each CA, and more certificates have another one";
            }
        }
    }
}

/* What follows from a file that somebody else can change is only noted. */
static void distrust(acme_import_found_t *found, const char *foreign)
{
    int i;

    acme_import_trust_filter(found->lines, found->notes, foreign);
    for (i = 0; i < found->certs->nelts; i++) {
        const acme_import_cert_t *cert = &APR_ARRAY_IDX(found->certs, i,
                                                        acme_import_cert_t);

        acme_import_trust_filter(cert->lines, cert->notes, foreign);
    }
}

/* "www" and "www_ecc" of acme.sh: pairs of one certificate, if they have the
   same names. Returns whether the other one is now in the first. */
static int merge_certs(acme_import_cert_t *first,
                       const acme_import_cert_t *other)
{
    const acme_import_part_t *a, *b;

    if (first->parts->nelts != 1 || other->parts->nelts != 1) {
        return 0;
    }
    a = &APR_ARRAY_IDX(first->parts, 0, acme_import_part_t);
    b = &APR_ARRAY_IDX(other->parts, 0, acme_import_part_t);
    if (!a->key_type || !b->key_type || !strcmp(a->key_type, b->key_type)
        || (a->type >= ACME_KEY_RSA2048) == (b->type >= ACME_KEY_RSA2048)
        || !acme_name_all_in(a->leaf->names, b->leaf->names)
        || !acme_name_all_in(b->leaf->names, a->leaf->names)) {
        return 0;
    }
    APR_ARRAY_PUSH(first->parts, acme_import_part_t) = *b;
    acme_import_found_add(first->notes, "with that in %s", other->place);
    return 1;
}

/* An id is one certificate's. */
static void join_certs(acme_import_found_t *found)
{
    apr_hash_t *firsts = apr_hash_make(found->p);       /* index + 1, by id */
    int i, kept = 0;

    for (i = 0; i < found->certs->nelts; i++) {
        acme_import_cert_t *cert = &APR_ARRAY_IDX(found->certs, i,
                                                  acme_import_cert_t);
        const char *id = acme_import_store_id(cert, found->p);
        const intptr_t first = id && !cert->fault
            ? (intptr_t)apr_hash_get(firsts, id, APR_HASH_KEY_STRING) : 0;
        acme_import_cert_t *before = first
            ? &APR_ARRAY_IDX(found->certs, first - 1, acme_import_cert_t)
            : NULL;

        if (before && merge_certs(before, cert)) {
            continue;
        }
        if (before) {
            cert->fault = apr_psprintf(
                found->p, "the certificate in %s has the same id",
                before->place);
        }
        APR_ARRAY_IDX(found->certs, kept++, acme_import_cert_t) = *cert;
        if (id && !cert->fault) {
            apr_hash_set(firsts, id, APR_HASH_KEY_STRING,
                         (void *)(intptr_t)kept);
        }
    }
    found->certs->nelts = kept;
}

/* What is not in the folder, and what is wrong. */
static void complete(acme_import_found_t *found,
                     const acme_import_call_t *call)
{
    int i;

    for (i = 0; i < found->accounts->nelts; i++) {
        acme_import_account_t *account = &APR_ARRAY_IDX(
            found->accounts, i, acme_import_account_t);

        account->ca = account->ca ? account->ca : call->ca;
        acme_import_found_check_account(account, found->p);
    }
    join_certs(found);
    for (i = 0; i < found->certs->nelts; i++) {
        acme_import_cert_t *cert = &APR_ARRAY_IDX(found->certs, i,
                                                  acme_import_cert_t);

        if (!cert->ca && call->ca && !cert->fault && cert->parts->nelts) {
            acme_import_found_add(
                cert->notes,
                "taken as of %s, as --ca says; whether its issuer, %s, is that CA was not verified",
                call->ca, APR_ARRAY_IDX(cert->parts, 0,
                                        acme_import_part_t).leaf->issuer);
        }
        cert->ca = cert->ca ? cert->ca : call->ca;
        acme_import_pair_end(cert, found);
    }
    choose_accounts(found);
}

/* When it is known which accounts are in the store. */
static void note_accounts(const acme_import_found_t *found)
{
    int i, k;

    for (i = 0; i < found->certs->nelts; i++) {
        const acme_import_cert_t *cert = &APR_ARRAY_IDX(found->certs, i,
                                                        acme_import_cert_t);
        const acme_import_account_t *account = account_of(found, cert);
        const char *line = "AcmeContact";

        if (!account || account->fault) {
            acme_import_found_add(cert->notes,
                                  "its account is not taken over: the renewal uses another one");
            continue;
        }
        for (k = 0; account->contacts && k < account->contacts->nelts; k++) {
            const char *contact = APR_ARRAY_IDX(account->contacts, k,
                                                const char *);
            const char *words = acme_import_words_quote(
                strncmp(contact, "mailto:", 7) ? contact : contact + 7,
                found->p);

            line = words ? apr_pstrcat(found->p, line, " ", words, NULL)
                         : line;
        }
        if (strchr(line, ' ')) {
            acme_import_found_add(cert->lines, "%s", line);
        }
    }
}

static acme_import_item_t *add_item(acme_import_report_t *report,
                                    apr_status_t rv, const acme_result_t *res,
                                    apr_pool_t *p)
{
    acme_import_item_t *item = apr_array_push(report->items);

    *item = (acme_import_item_t) {
        .result = rv == APR_SUCCESS ? ACME_IMPORT_TAKEN
            : rv == APR_EEXIST && !res->detail[0] ? ACME_IMPORT_THERE
            : ACME_IMPORT_SKIPPED,
        .text = rv ? apr_pstrdup(p, res->detail) : "",
        .lines = apr_array_make(p, 1, sizeof(const char *)),
        .notes = apr_array_make(p, 1, sizeof(const char *))
    };
    report->skipped += item->result == ACME_IMPORT_SKIPPED;
    report->taken += item->result == ACME_IMPORT_TAKEN;
    return item;
}

static void take_account(acme_import_report_t *report,
                         acme_import_store_t *store,
                         acme_import_account_t *account, apr_pool_t *p)
{
    acme_import_item_t *item;
    acme_result_t res;
    apr_status_t rv;

    rv = account->fault
        ? acme_fail_never(&res, APR_EINVAL, "%s", account->fault)
        : acme_import_store_account(store, account, &res, p);
    item = add_item(report, rv, &res, p);
    item->is_account = 1;
    item->name = account->ca ? account->ca : "";
    item->place = account->place;
    item->account = account->url;
    item->ca = account->ca;
    if (item->result == ACME_IMPORT_SKIPPED) {
        account->fault = item->text;
    }
    if (!rv && !account->url) {
        item->text = "its URL is not known; the CA is asked for it with the first order";
    }
}

static void take_cert(acme_import_report_t *report, acme_import_store_t *store,
                      const acme_import_cert_t *cert,
                      const acme_import_call_t *call, apr_pool_t *p)
{
    const char *id = acme_import_store_id(cert, p);
    acme_import_item_t *item;
    acme_result_t res;
    apr_status_t rv;
    int i;

    if (cert->fault || !id) {
        rv = acme_fail_never(&res, APR_EINVAL, "%s",
                             cert->fault ? cert->fault
                                         : "its name cannot be an id");
    }
    else {
        rv = acme_import_store_cert(store, cert, id, call->now, &res, p);
    }
    item = add_item(report, rv, &res, p);
    item->name = id ? id : cert->name;
    item->place = cert->place;
    item->ca = cert->ca;
    item->notes = cert->notes;
    item->lines = cert->lines;
    for (i = 0; i < cert->parts->nelts; i++) {
        const acme_import_part_t *part = &APR_ARRAY_IDX(cert->parts, i,
                                                        acme_import_part_t);

        if (i == 0) {
            item->serial = part->leaf->serial;
            item->not_after = part->leaf->not_after;
            item->names = part->leaf->names;
            item->key_types = part->key_type;
        }
        else {
            item->key_types = apr_pstrcat(p, item->key_types, " ",
                                          part->key_type, NULL);
        }
    }
}

/* By its certificate; a virtual host of mod_md has none, so by its name. */
static const acme_import_item_t *find_item(const acme_import_report_t *report,
                                           const acme_import_vhosts_one_t *one)
{
    int i;

    for (i = 0; i < report->items->nelts; i++) {
        const acme_import_item_t *item = &APR_ARRAY_IDX(report->items, i,
                                                        acme_import_item_t);

        if (acme_import_place_is_used(item)
            && (one->serial
                ? !strcmp(one->serial, item->serial)
                    && one->not_after == item->not_after
                : !one->has_cert && acme_name_covered(item->names,
                                                      one->name))) {
            return item;
        }
    }
    return NULL;
}

static void add_vhost(acme_import_report_t *report,
                      const acme_import_vhosts_one_t *one, apr_pool_t *p)
{
    const acme_import_item_t *item = find_item(report, one);
    acme_import_vhost_t *vhost;
    int i;

    if (!item) {
        return;
    }
    vhost = apr_array_push(report->vhosts);
    *vhost = (acme_import_vhost_t) {
        .place = one->place, .name = one->name, .id = item->name,
        .remove = one->remove,
        .add = apr_array_make(p, 4, sizeof(const char *))
    };
    if (one->include) {
        APR_ARRAY_PUSH(vhost->add, const char *) = apr_pstrcat(
            p, "# ", one->include, " has certbot's protocols and ciphers: it may stay as long as that file does",
            NULL);
    }
    if (!one->has_engine) {
        APR_ARRAY_PUSH(vhost->add, const char *) = "SSLEngine on";
    }
    if (strcmp(one->name, item->name) != 0) {
        APR_ARRAY_PUSH(vhost->add, const char *) = apr_pstrcat(
            p, "AcmeCertificate ", item->name, NULL);
    }
    apr_array_cat(vhost->add, item->lines);
    for (i = 0; i < one->names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(one->names, i, const char *);

        if (!acme_name_covered(item->names, name)) {
            APR_ARRAY_PUSH(vhost->add, const char *) = apr_pstrcat(
                p, "# ", name, " is not in the certificate: one with it is ordered at once, unless you remove the name, or list the others in AcmeNames",
                NULL);
        }
    }
}

static void add_conf(acme_import_report_t *report,
                     const apr_array_header_t *vhosts,
                     const apr_array_header_t *others, apr_pool_t *p)
{
    int i;

    for (i = 0; i < vhosts->nelts; i++) {
        add_vhost(report, &APR_ARRAY_IDX(vhosts, i, acme_import_vhosts_one_t),
                  p);
    }
    for (i = 0; i < others->nelts; i++) {
        const acme_import_vhosts_other_t *other = &APR_ARRAY_IDX(
            others, i, acme_import_vhosts_other_t);

        acme_import_found_add(report->notes, "remove %s: %s", other->place,
                              other->line);
        acme_import_mod_md_translate(report->lines, report->notes,
                                     other->line, p);
    }
}

static void take_all(acme_import_report_t *report, acme_import_store_t *store,
                     const acme_import_found_t *found,
                     const acme_import_call_t *call, apr_pool_t *p)
{
    int i;

    /* Accounts first: a crash must not leave a certificate without one. */
    for (i = 0; i < found->accounts->nelts; i++) {
        take_account(report, store,
                     &APR_ARRAY_IDX(found->accounts, i, acme_import_account_t),
                     p);
    }
    note_accounts(found);
    for (i = 0; i < found->certs->nelts; i++) {
        take_cert(report, store,
                  &APR_ARRAY_IDX(found->certs, i, acme_import_cert_t), call,
                  p);
    }
}

apr_status_t acme_import_run(acme_import_report_t **preport,
                             const acme_import_call_t *call,
                             acme_result_t *res, apr_pool_t *p)
{
    const struct client *client = find_client(call->client);
    acme_import_report_t *report = apr_pcalloc(p, sizeof(*report));
    acme_import_found_t *found = acme_import_found_make(call->hooks, call->now,
                                                        p);
    acme_import_file_seen_t seen = { NULL };
    acme_import_file_tree_t tree = { .seen = &seen, .p = p };
    apr_array_header_t *vhosts, *others;
    acme_import_store_t *store;
    apr_status_t rv;

    *preport = NULL;

    if (!client) {
        return acme_fail_never(res, APR_EINVAL,
                               "%s: not known; " ACME_IMPORT_CLIENTS,
                               call->client);
    }
    tree.root = call->path ? call->path : client->folder;
    if (!tree.root) {
        return acme_fail_never(res, APR_EINVAL,
                               "%s: its folder is needed, too", call->client);
    }
    client->read(found, &tree);
    if (!found->accounts->nelts && !found->certs->nelts) {
        return acme_fail_never(
            res, APR_ENOENT,
            "%s: no account and no certificate of %s is there, or it cannot be read",
            tree.root, call->client);
    }
    complete(found, call);
    rv = call->conf ? acme_import_vhosts_read(&vhosts, &others, call->conf,
                                              res, p) : APR_SUCCESS;
    if (rv == APR_SUCCESS) {
        rv = acme_import_store_open(&store, call->state_dir, tree.root,
                                    call->is_dry, res, p);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    report->items = apr_array_make(p, 16, sizeof(acme_import_item_t));
    report->vhosts = apr_array_make(p, 4, sizeof(acme_import_vhost_t));
    report->notes = found->notes;
    report->is_beside = acme_import_store_is_beside(store);
    take_all(report, store, found, call, p);
    distrust(found, seen.foreign);
    acme_import_place_lines(report, found->lines,
                            acme_import_store_has_others(store, report->items,
                                                         p), p);
    acme_import_store_close(store);
    if (call->conf) {
        add_conf(report, vhosts, others, p);
    }
    *preport = report;
    return APR_SUCCESS;
}

/* A comment is one line, whatever is in the text: a backslash at its end would
   take the next line into it. */
static const char *comment(const char *head, const char *text, apr_pool_t *p)
{
    const char *clean = acme_text_clean(text, 2000, p);
    const apr_size_t len = strlen(clean);

    return apr_pstrcat(p, "# ", head, clean,
                       len && clean[len - 1] == '\\' ? " ." : "", "\n", NULL);
}

static void put(apr_array_header_t *out, const char *text)
{
    APR_ARRAY_PUSH(out, const char *) = text;
}

static void put_comments(apr_array_header_t *out, const char *head,
                         const apr_array_header_t *texts, apr_pool_t *p)
{
    int i;

    for (i = 0; i < texts->nelts; i++) {
        put(out, comment(head, APR_ARRAY_IDX(texts, i, const char *), p));
    }
}

const char *acme_import_conf_text(const acme_import_report_t *report,
                                  const acme_import_call_t *call,
                                  apr_pool_t *p)
{
    apr_array_header_t *out = apr_array_make(p, 32, sizeof(const char *));
    const char *words = acme_import_words_quote(call->state_dir, p);
    int i;

    put(out, comment("Made by acmectl import ", call->client, p));
    put(out, "AcmeEngine on\n"
             "# The accounts that were taken over have agreed to the terms of their CAs.\n"
             "AcmeTermsOfService agree\n");
    if (strcmp(call->state_dir, ACME_STATE_DIR) && words) {
        put(out, apr_pstrcat(p, "AcmeStateDir ", words, "\n", NULL));
    }
    for (i = 0; i < report->lines->nelts; i++) {
        put(out, apr_pstrcat(p, APR_ARRAY_IDX(report->lines, i, const char *),
                             "\n", NULL));
    }
    put_comments(out, "", report->notes, p);
    for (i = 0; i < report->items->nelts; i++) {
        const acme_import_item_t *item = &APR_ARRAY_IDX(report->items, i,
                                                        acme_import_item_t);

        if (acme_import_place_is_used(item)
            && (item->lines->nelts || item->notes->nelts)) {
            put(out, comment("In the virtual hosts of ", item->name, p));
            put_comments(out, "    ", item->lines, p);
            put_comments(out, "    note: ", item->notes, p);
        }
    }
    for (i = 0; i < report->vhosts->nelts; i++) {
        const acme_import_vhost_t *vhost = &APR_ARRAY_IDX(
            report->vhosts, i, acme_import_vhost_t);

        put(out, comment(vhost->place, apr_pstrcat(p, " ", vhost->name, NULL),
                         p));
        put_comments(out, "    remove ", vhost->remove, p);
        put_comments(out, "    add ", vhost->add, p);
    }
    return apr_array_pstrcat(p, out, '\0');
}
