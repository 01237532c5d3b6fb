/*
 * print_directives.c - prints the one table of directives as mdoc, for
 * mod_acme/httpd/mod_acme.8. build/update-manual calls it.
 */
#include <stdio.h>
#include <string.h>

#include <apr.h>

#include "acme_directives.h"

static const struct {
    const char *name;
    const char *syntax;
    const char *dflt;
    int where;
    const char *text;
    const char *example;
} rows[] = {
#define ROW(name, syntax, dflt, where, parse, field, text, example) \
    { #name, syntax, dflt, where, text, example },
    ACME_DIRECTIVES(ROW)
};

static const char *context(int where)
{
    return where == ACME_SERVER ? "server config"
                                : "server config, virtual host";
}

/* A configure option sets it: the same text wherever it was built. */
static const char *shown_default(apr_size_t i)
{
    if (!strcmp(rows[i].name, "AcmeStateDir")) {
        return "set when built (--with-state-dir)";
    }
    return rows[i].dflt ? rows[i].dflt : "none";
}

/* mdoc wants each sentence on a line of its own. */
static void sentences(const char *text)
{
    for (; *text; text++) {
        if (text[0] == '.' && text[1] == ' ') {
            fputs(".\n", stdout);
            text++;
        }
        else {
            putchar(*text);
        }
    }
    putchar('\n');
}

static void mdoc(apr_size_t i)
{
    printf(".Ss %s\n.Bl -tag -width \"Context:\" -compact\n"
           ".It Syntax:\n.Ic %s Ar %s\n.It Default:\n%s\n"
           ".It Context:\n%s\n.It Example:\n.Ql %s\n.El\n.Pp\n",
           rows[i].name, rows[i].name, rows[i].syntax, shown_default(i),
           context(rows[i].where), rows[i].example);
    sentences(rows[i].text);
}

int main(void)
{
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        mdoc(i);
    }
    return 0;
}
