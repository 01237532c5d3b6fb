/*
 * acme_time.c - times between texts and microseconds.
 *
 * No text is converted before its form was compared with what is allowed:
 * scanf() and strtol() alone take blanks and signs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_date.h>
#include <apr_strings.h>

#include "acme_time.h"

#define DIGITS "0123456789"
#define NUMBER_MAX 9            /* digits: all of them fit into an int */

#define MINUTE 60
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define DURATION_MAX ((apr_int64_t)3650 * DAY)

/* The number at *ptext, which is moved behind it; -1 when there is none. */
static int read_number(const char **ptext)
{
    apr_size_t len = strspn(*ptext, DIGITS);
    int n;

    if (len == 0 || len > NUMBER_MAX) {
        return -1;
    }
    n = atoi(*ptext);
    *ptext += len;
    return n;
}

/* Seconds in a unit, or 0 when there is no such unit. */
static int unit_seconds(const char *unit)
{
    if (unit[0] == '\0' || unit[1] != '\0') {
        return 0;
    }
    switch (unit[0]) {
    case 's':
        return 1;
    case 'm':
        return MINUTE;
    case 'h':
        return HOUR;
    case 'd':
        return DAY;
    default:
        return 0;
    }
}

apr_status_t acme_time_duration_parse(apr_interval_time_t *pd,
                                      const char *text, acme_result_t *res)
{
    const char *unit = text;
    int n = read_number(&unit);
    apr_int64_t seconds = (apr_int64_t)n * unit_seconds(unit);

    *pd = 0;
    if (seconds <= 0 || seconds > DURATION_MAX) {
        return acme_fail_never(
            res, APR_EINVAL,
            "\"%.40s\": a duration is a number and s, m, h or d, such as 30s or 12h, and at most 3650d",
            text);
    }
    *pd = apr_time_from_sec(seconds);
    return APR_SUCCESS;
}

apr_status_t acme_time_window_parse(acme_window_t *pw, const char *text,
                                    acme_result_t *res)
{
    const char *unit = text;
    int n = read_number(&unit);

    memset(pw, 0, sizeof(*pw));
    if (!strcmp(unit, "%") && n >= 1 && n <= 99) {
        pw->percent = n;
        return APR_SUCCESS;
    }
    if (acme_time_duration_parse(&pw->duration, text, res) == APR_SUCCESS) {
        return APR_SUCCESS;
    }
    return acme_fail_never(
        res, APR_EINVAL,
        "\"%.40s\": a window is 1%% to 99%% of a lifetime, or a duration such as 30d or 12h, at most 3650d",
        text);
}

const char *acme_time_text(apr_time_t t, apr_pool_t *p)
{
    apr_time_exp_t exp;

    if (t == 0) {
        return "never";
    }
    apr_time_exp_gmt(&exp, t);
    return apr_psprintf(p, "%04d-%02d-%02d %02d:%02d:%02d UTC",
                        exp.tm_year + 1900, exp.tm_mon + 1, exp.tm_mday,
                        exp.tm_hour, exp.tm_min, exp.tm_sec);
}

const char *acme_time_interval_text(apr_interval_time_t d, apr_pool_t *p)
{
    apr_int64_t seconds = d > 0 ? apr_time_sec(d) : 0;

    if (seconds >= 2 * DAY) {
        return apr_psprintf(p, "%" APR_INT64_T_FMT " days", seconds / DAY);
    }
    if (seconds >= 2 * HOUR) {
        return apr_psprintf(p, "%" APR_INT64_T_FMT " h", seconds / HOUR);
    }
    if (seconds >= 2 * MINUTE) {
        return apr_psprintf(p, "%" APR_INT64_T_FMT " min", seconds / MINUTE);
    }
    return apr_psprintf(p, "%" APR_INT64_T_FMT " s", seconds);
}

/* "Z" or "+02:00" and nothing more, as seconds east; 0 when it is bad. */
static int read_offset(int *poffset, const char *text)
{
    int hours = 0, minutes = 0;

    if (apr_date_checkmask(text, "+##:##")
        || apr_date_checkmask(text, "-##:##")) {
        sscanf(text + 1, "%2d:%2d", &hours, &minutes);
    }
    else if (strcmp(text, "Z") && strcmp(text, "z")) {
        return 0;
    }
    *poffset = (hours * HOUR + minutes * MINUTE) * (*text == '-' ? -1 : 1);
    return hours < 24 && minutes < 60;
}

apr_time_t acme_time_parse(const char *text)
{
    apr_time_exp_t exp = { 0 }, back;
    apr_size_t digits;
    const char *rest;
    apr_time_t t;
    int offset;

    if (!text || !apr_date_checkmask(text, "####-##-##*")
        || (text[10] != 'T' && text[10] != 't')
        || !apr_date_checkmask(text + 11, "##:##:##*")) {
        return 0;
    }
    sscanf(text, "%4d-%2d-%2d%*c%2d:%2d:%2d", &exp.tm_year, &exp.tm_mon,
           &exp.tm_mday, &exp.tm_hour, &exp.tm_min, &exp.tm_sec);
    exp.tm_year -= 1900;
    exp.tm_mon--;
    if (exp.tm_sec == 60) {
        exp.tm_sec = 59;        /* a leap second, which apr_time_t has not */
    }

    rest = text + strlen("2026-11-21T05:36:05");
    if (*rest == '.') {
        digits = strspn(rest + 1, DIGITS);
        if (digits == 0) {
            return 0;
        }
        rest += 1 + digits;
    }
    if (!read_offset(&offset, rest)
        || apr_time_exp_get(&t, &exp) != APR_SUCCESS) {
        return 0;
    }

    /* A 30th of February comes back as another day. */
    apr_time_exp_gmt(&back, t);
    if (back.tm_mon != exp.tm_mon || back.tm_mday != exp.tm_mday
        || back.tm_hour != exp.tm_hour || back.tm_min != exp.tm_min
        || back.tm_sec != exp.tm_sec) {
        return 0;
    }
    t -= apr_time_from_sec(offset);
    return t > 0 ? t : 0;
}

const char *acme_time_rfc3339(apr_time_t t, apr_pool_t *p)
{
    apr_time_exp_t exp;

    apr_time_exp_gmt(&exp, t);
    return apr_psprintf(p, "%04d-%02d-%02dT%02d:%02d:%02dZ",
                        exp.tm_year + 1900, exp.tm_mon + 1, exp.tm_mday,
                        exp.tm_hour, exp.tm_min, exp.tm_sec);
}

const char *acme_time_json(apr_time_t t, apr_pool_t *p)
{
    return t ? acme_time_rfc3339(t, p) : NULL;
}

apr_time_t acme_time_earlier(apr_time_t a, apr_time_t b)
{
    return !a || (b && b < a) ? b : a;
}
