/*
 * log_file.c - a line a write: several processes log into one file.
 */
#include "acme_file.h"
#include "log_file.h"
#include "scratch.h"

#define LOG_MAX (4 * 1024 * 1024)

static int kept = -1;

static int open_log(void)
{
    return open(at("log"), O_WRONLY | O_CREAT | O_APPEND, 0644);
}

static void write_log(void *baton, acme_log_e level, const char *line)
{
    static const char *const levels[] = {
        "error", "warning", "notice", "info"
    };
    char text[8192];
    int len, fd = kept >= 0 ? kept : open_log();

    (void)baton;
    len = apr_snprintf(text, sizeof(text), "[%s] %s\n", levels[level], line);
    if (write(fd, text, (size_t)len) != len) {
        abort();
    }
    if (fd != kept) {
        close(fd);
    }
}

void keep_log_open(void)
{
    kept = open_log();
}

const acme_log_t test_log = { write_log, NULL };

const char *logged(void)
{
    const char *text;
    apr_size_t len;

    if (acme_file_read(&text, &len, at("log"), LOG_MAX, &res, pool)) {
        return "";
    }
    return text;
}

void assert_logged(const char *text)
{
    if (!strstr(logged(), text)) {
        fail_msg("the log does not say \"%s\" but:\n%s", text, logged());
    }
}

void assert_not_logged(const char *text)
{
    if (strstr(logged(), text)) {
        fail_msg("the log says \"%s\":\n%s", text, logged());
    }
}

int times_logged(const char *text)
{
    const char *found = logged();
    int n = 0;

    while ((found = strstr(found, text)) != NULL) {
        found += strlen(text);
        n++;
    }
    return n;
}
