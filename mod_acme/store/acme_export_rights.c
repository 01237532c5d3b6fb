/*
 * acme_export_rights.c - mode and owner of a copy, as an administrator writes
 * them.
 */
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_export_rights.h"

#define ID_MAX 0x7fffffff       /* of a user or a group */

acme_outside_rights_t acme_export_rights_default(acme_export_e format)
{
    return (acme_outside_rights_t) {
        .mode = acme_export_format_has_key(format) ? 0600 : 0644,
        .uid = geteuid(), .gid = getegid()
    };
}

const char *acme_export_rights_mode(acme_outside_rights_t *rights,
                                    const char *text, acme_export_e format,
                                    apr_pool_t *p)
{
    char *end;
    const apr_int64_t mode = apr_strtoi64(text, &end, 8);

    if (*end || strlen(text) < 3 || strlen(text) > 4 || mode < 0
        || mode > 0777) {
        return apr_psprintf(p,
                            "'%s' is not a mode; allowed: octal digits such as 0640",
                            text);
    }
    if (mode & 0113) {
        return apr_psprintf(p,
                            "mode %s: copies are not executed, and nobody but the owner and the group may write to them",
                            text);
    }
    if (acme_export_format_has_key(format) && (mode & 07)) {
        return apr_psprintf(p,
                            "mode %s: every user could read the private key; use 0600, or 0640 and a group",
                            text);
    }
    rights->mode = (mode_t)mode;
    return NULL;
}

/* A number, or -1: it is none. */
static apr_int64_t parse_number(const char *text)
{
    char *end;
    const apr_int64_t n = *text && !text[strspn(text, "0123456789")]
        ? apr_strtoi64(text, &end, 10) : -1;

    return n <= ID_MAX ? n : -1;
}

int acme_export_rights_is_owner(const char *text)
{
    return *text && *text != ':' && text[strlen(text) - 1] != ':';
}

const char *acme_export_rights_owner(acme_outside_rights_t *rights,
                                     const char *text, apr_pool_t *p)
{
    const char *colon = strchr(text, ':');
    const char *user = colon
        ? apr_pstrmemdup(p, text, (apr_size_t)(colon - text)) : text;
    const apr_int64_t uid = parse_number(user);
    const struct passwd *of_user = uid < 0 ? getpwnam(user)
                                           : getpwuid((uid_t)uid);
    const struct group *of_group;
    apr_int64_t gid;

    if (!of_user && uid < 0) {
        return apr_psprintf(p, "'%s' is not a user of this system", user);
    }
    rights->uid = of_user ? of_user->pw_uid : (uid_t)uid;
    if (!colon) {
        if (!of_user) {
            return apr_psprintf(p,
                                "'%s' is not a user of this system, so it needs a group: %s:group",
                                user, user);
        }
        rights->gid = of_user->pw_gid;
        return NULL;
    }
    gid = parse_number(colon + 1);
    of_group = gid < 0 ? getgrnam(colon + 1) : NULL;
    if (!of_group && gid < 0) {
        return apr_psprintf(p, "'%s' is not a group of this system",
                            colon + 1);
    }
    rights->gid = of_group ? of_group->gr_gid : (gid_t)gid;
    return NULL;
}
