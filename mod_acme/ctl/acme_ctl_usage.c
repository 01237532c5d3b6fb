/*
 * acme_ctl_usage.c - the usage and the help of acmectl, from its table of
 * commands.
 */
#include <string.h>

#include "acme_ctl_term.h"
#include "acme_ctl_usage.h"

#define WIDTH 78

/* A line that is being written. */
typedef struct {
    FILE *file;
    int column;
    int indent;                 /* of the lines that follow */
    int is_begun;               /* the next word needs a space before it */
} line_t;

static void put_word(line_t *line, const char *word, int len)
{
    if (line->is_begun && line->column + 1 + len > WIDTH) {
        fprintf(line->file, "\n%*s", line->indent, "");
        line->column = line->indent;
    }
    else if (line->is_begun) {
        fputc(' ', line->file);
        line->column++;
    }
    fprintf(line->file, "%.*s", len, word);
    line->column += len;
    line->is_begun = 1;
}

static void put_words(line_t *line, const char *text)
{
    while (*text) {
        const int len = (int)strcspn(text, " ");

        put_word(line, text, len);
        text += len;
        text += strspn(text, " ");
    }
}

/* An option stays in one line with its value. */
static void put_call(line_t line, const acme_ctl_verb_t *verb)
{
    const acme_ctl_option_t *option;
    char text[80];

    put_words(&line, verb->word);
    put_words(&line, verb->usage);
    for (option = verb->options; option && option->word; option++) {
        snprintf(text, sizeof(text), "[%s%s%s]", option->word,
                 option->value ? " " : "", option->value ? option->value : "");
        put_word(&line, text, (int)strlen(text));
    }
    fputc('\n', line.file);
}

static void put_common(FILE *file)
{
    fputs("\n"
          "With all commands:\n"
          "  --state-dir DIR    the AcmeStateDir of the server, by default\n"
          "                     " ACME_STATE_DIR "\n"
          "  --timeout SECONDS  how long each answer of the keeper is waited for,\n"
          "                     by default 70\n"
          "  --color WHEN       always, never, or auto: on a terminal, and if\n"
          "                     NO_COLOR is not set\n",
          file);
}

void acme_ctl_usage_put(FILE *file, const acme_ctl_verb_t *verbs,
                        const acme_ctl_verb_t *verb)
{
    if (verb) {
        fputs("usage: acmectl ", file);
        put_call((line_t){ file, 15, 15, 0 }, verb);
        fprintf(file, "See acmectl help %s.\n", verb->word);
        return;
    }
    fputs("usage: acmectl [--state-dir DIR] [--timeout SECONDS] COMMAND ...\n\n",
          file);
    for (; verbs->word; verbs++) {
        fputs("  ", file);
        put_call((line_t){ file, 2, 10, 0 }, verbs);
    }
    fputs("\nSee acmectl help, or acmectl help COMMAND.\n", file);
}

/* Where all commands are listed, the first sentence is enough. */
static void put_short(FILE *file, const acme_ctl_verb_t *verb)
{
    const char *end = strstr(verb->text, ". ");
    char text[512];

    snprintf(text, sizeof(text), "%.*s",
             (int)(end ? end + 1 - verb->text
                       : (long)strlen(verb->text)), verb->text);
    fprintf(file, "  %-12s ", verb->word);
    acme_ctl_term_put_wrapped(file, text, 15);
}

void acme_ctl_usage_put_help(FILE *file, const acme_ctl_verb_t *verbs,
                             const acme_ctl_verb_t *verb)
{
    const acme_ctl_option_t *option;

    fputs("usage: acmectl ", file);
    if (!verb) {
        fputs("[OPTION ...] COMMAND [ARGUMENT ...]\n\n", file);
        for (; verbs->word; verbs++) {
            put_short(file, verbs);
        }
        put_common(file);
        fputs("\nacmectl help COMMAND says more about one; see acmectl(8).\n",
              file);
        return;
    }
    put_call((line_t){ file, 15, 15, 0 }, verb);
    fputs("\n", file);
    acme_ctl_term_put_wrapped(file, verb->text, 0);
    for (option = verb->options; option && option->word; option++) {
        fprintf(file, "%s  %s%s%s\n      ",
                option == verb->options ? "\n" : "", option->word,
                option->value ? " " : "", option->value ? option->value : "");
        acme_ctl_term_put_wrapped(file, option->text, 6);
    }
}
