/*
 * acme_page_frame.c - what each page begins and ends with, and pieces that
 * several of them have.
 */
#include <string.h>

#include <apr_base64.h>
#include <apr_strings.h>

#include "acme_digest.h"
#include "acme_next_step.h"
#include "acme_page_frame.h"
#include "acme_page_style.h"
#include "acme_time.h"

#define WIDTH 1000              /* of a bar, in units of its own */

/* Drawn by hand: a closed lock. '#' would begin a fragment. */
#define ICON "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' " \
    "viewBox='0 0 16 16'%3E%3Cpath fill='none' stroke='%2317713a' " \
    "stroke-width='2' d='M5 7V5a3 3 0 0 1 6 0v2'/%3E%3Crect x='3' y='7' " \
    "width='10' height='7' rx='1.5' fill='%2317713a'/%3E%3C/svg%3E"

const char *acme_page_frame_policy(apr_pool_t *p)
{
    unsigned char digest[ACME_DIGEST_OCTETS];
    char text[4 * ACME_DIGEST_OCTETS];

    if (!acme_digest_make(digest, acme_page_style, strlen(acme_page_style))) {
        return "default-src 'none'";
    }
    apr_base64_encode(text, (const char *)digest, sizeof(digest));
    return apr_psprintf(p, "default-src 'none'; style-src 'sha256-%s'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
                        text);
}

/* It can be stopped, and a reader's choice stays in each link. */
static void put_refresh(acme_page_out_t *out, const acme_page_frame_t *frame,
                        int seconds)
{
    acme_page_query_t other = *frame->query;

    other.refresh = seconds ? 0 : -1;
    acme_page_out_html(out, "<p class=\"small soft\">As of ");
    acme_page_out_instant(out, frame->now);
    acme_page_out_html(out, ". ");
    if (seconds) {
        acme_page_out_format(out, "Updated every %d&nbsp;s. ", seconds);
    }
    acme_page_out_html(out, "<a href=");
    acme_page_query_link(out, &other);
    acme_page_out_html(out, seconds ? ">Stop updates</a>"
                                    : ">Update regularly</a>");
    acme_page_out_html(out, "</p>\n");
}

void acme_page_frame_begin(acme_page_out_t *out, const acme_page_frame_t *frame,
                           const char *title)
{
    const int seconds = frame->query->refresh < 0 ? frame->refresh
                                                  : frame->query->refresh;

    acme_page_out_html(out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
        "<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, "
        "initial-scale=1\">\n"
        "<meta name=\"robots\" content=\"noindex\">\n");
    if (seconds) {
        acme_page_out_format(
            out, "<meta http-equiv=\"refresh\" content=\"%d\">\n", seconds);
    }
    acme_page_out_html(out, "<title>");
    acme_page_out_text(out, title);
    acme_page_out_html(out, " - ");
    acme_page_out_text(out, frame->server);
    acme_page_out_html(out, "</title>\n<link rel=\"icon\" href=\"" ICON
                            "\">\n<style>");
    acme_page_out_html(out, acme_page_style);
    acme_page_out_html(out, "</style>\n</head>\n<body>\n<a class=\"skip\" "
                            "href=\"#main\">Skip to the content</a>\n"
                            "<div class=\"wrap\">\n<header>\n<div>");
    if (frame->query->id) {
        acme_page_query_t list = *frame->query;

        list.id = NULL;
        acme_page_out_html(out, "<nav aria-label=\"Back\"><a href=");
        acme_page_query_link(out, &list);
        acme_page_out_html(out, ">All certificates</a></nav>");
    }
    acme_page_out_html(out, "<h1>");
    acme_page_out_text(out, title);
    acme_page_out_html(out, "</h1></div>\n");
    put_refresh(out, frame, seconds);
    acme_page_out_html(out, "</header>\n<main id=\"main\">\n");
}

void acme_page_frame_end(acme_page_out_t *out)
{
    acme_page_out_html(out,
        "</main>\n<footer class=\"small soft\">mod_acme " ACME_VERSION
        ". For programs: <a href=\"?json\">JSON</a>, <a href=\"?metrics\">"
        "metrics</a>. On the command line: <code>acmectl status</code>."
        "</footer>\n</div>\n</body>\n</html>\n");
}

/* A sign beside the word, for who sees no colours. */
static const char *sign_of(acme_explain_kind_e kind)
{
    static const char *const signs[ACME_EXPLAIN_KINDS] = {
        [ACME_EXPLAIN_FAILING] = "&#9650;",     /* a triangle */
        [ACME_EXPLAIN_WAITING] = "&#9201;&#xFE0E;",     /* a stopwatch */
        [ACME_EXPLAIN_RENEWING] = "&#8635;",    /* an arrow in a circle */
        [ACME_EXPLAIN_FINE] = "&#10003;"        /* a tick */
    };

    return signs[kind];
}

void acme_page_frame_badge(acme_page_out_t *out, acme_explain_kind_e kind,
                           const char *word)
{
    acme_page_out_html(out, "<span class=\"badge ");
    acme_page_out_html(out, acme_explain_kind_word(kind));
    acme_page_out_html(out, "\"><span aria-hidden=\"true\">");
    acme_page_out_html(out, sign_of(kind));
    acme_page_out_html(out, "</span> ");
    acme_page_out_text(out, word);
    acme_page_out_html(out, "</span>");
}

#define CHANCE_LATEST 0         /* of acme_next_step_renew_at() */
#define CHANCE_EARLIEST 999

acme_page_life_t acme_page_frame_life(const acme_state_t *state,
                                      apr_time_t now)
{
    const acme_next_t next = acme_next_step(state, now);
    acme_page_life_t life = { .not_before = state->not_before,
                              .not_after = state->not_after };

    if (!state->live) {
        return (acme_page_life_t) { 0 };
    }
    if (acme_next_step_has_pick(state)) {
        life.window_start = state->window_start;
        life.window_end = state->window_end;
    }
    else {
        life.window_start = acme_next_step_renew_at(
            state->not_before, state->not_after, &state->renew,
            CHANCE_EARLIEST);
        life.window_end = acme_next_step_renew_at(
            state->not_before, state->not_after, &state->renew,
            CHANCE_LATEST);
    }
    if (next.step == ACME_STEP_RENEW || next.step == ACME_STEP_RETRY
        || next.step == ACME_STEP_LIMIT) {
        life.planned = next.at;
    }
    return life;
}

/* Where it is in the bar, from 0 to WIDTH. */
static int place_of(const acme_page_life_t *life, apr_time_t t)
{
    const apr_time_t length = life->not_after - life->not_before;

    if (t <= life->not_before || length <= 0) {
        return 0;
    }
    return t >= life->not_after ? WIDTH
        : (int)((t - life->not_before) / (length / WIDTH + 1));
}

static void put_rectangle(acme_page_out_t *out, const char *class, int from,
                          int to)
{
    if (to > from) {
        acme_page_out_format(out, "<rect class=\"%s\" x=\"%d\" width=\"%d\" "
                             "height=\"10\"/>", class, from, to - from);
    }
}

static void put_line(acme_page_out_t *out, const char *class, int at)
{
    acme_page_out_format(out, "<line class=\"%s\" x1=\"%d\" x2=\"%d\" "
                         "y1=\"0\" y2=\"10\"/>", class, at, at);
}

void acme_page_frame_bar(acme_page_out_t *out, const acme_page_life_t *life,
                         acme_explain_kind_e kind, int is_big, apr_time_t now,
                         apr_pool_t *p)
{
    const int at = place_of(life, now), planned = place_of(life, life->planned);

    if (!life->not_after || life->not_after <= life->not_before) {
        return;
    }
    acme_page_out_html(out, "<svg class=\"bar ");
    acme_page_out_html(out, acme_explain_kind_word(kind));
    acme_page_out_format(out, "%s\" viewBox=\"0 0 %d 10\" "
                         "preserveAspectRatio=\"none\" role=\"img\" "
                         "aria-label=\"%d%% of %s elapsed", is_big ? " big" : "",
                         WIDTH, at * 100 / WIDTH,
                         acme_time_interval_text(life->not_after
                                                 - life->not_before, p));
    if (life->planned) {
        acme_page_out_format(out, "; renewal planned %s",
                             acme_explain_distance(life->planned, now, p));
    }
    acme_page_out_format(out, "; %s %s\">",
                         life->not_after > now ? "expires" : "expired",
                         acme_explain_distance(life->not_after, now, p));
    put_rectangle(out, "window", place_of(life, life->window_start),
                  place_of(life, life->window_end));
    put_rectangle(out, "done", 0, at);
    if (life->planned) {
        put_line(out, "edge", planned);
        put_line(out, "plan", planned);
    }
    acme_page_out_html(out, "</svg>");
}

void acme_page_frame_legend(acme_page_out_t *out, acme_explain_kind_e kind)
{
    static const struct {
        const char *class, *text;
    } parts[] = {
        { "done", "elapsed" },
        { "window", "when it may be renewed" },
        { "rest", "left until the expiry" }
    };
    size_t i;

    acme_page_out_format(out, "<ul class=\"legend %s\" "
                         "aria-label=\"Parts of a bar\">",
                         acme_explain_kind_word(kind));
    for (i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        acme_page_out_format(out, "<li><svg viewBox=\"0 0 16 7\" "
                             "aria-hidden=\"true\"><rect class=\"%s\" "
                             "width=\"%d\" height=\"7\"/></svg>%s</li>",
                             parts[i].class, i < 2 ? 16 : 0, parts[i].text);
    }
    acme_page_out_html(out,
        "<li><svg viewBox=\"0 0 16 7\" aria-hidden=\"true\"><line "
        "class=\"plan\" x1=\"8\" x2=\"8\" y1=\"0\" y2=\"7\"/></svg>"
        "renewal planned</li></ul>\n");
}
