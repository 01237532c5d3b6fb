/*
 * mod_takeover.c - a worker of httpd that does what a test says, as one does
 * that an attacker took over.
 *
 * In each worker a thread listens at the abstract address "acme-takeover-PID".
 * It knows two commands, one a packet:
 *
 *   address OFFSET WHO   call the function at OFFSET in mod_acme.so, which is
 *                        acme_keeper_start_client(), and reply with what it
 *                        returns: 32 octets of token, then the path
 *   connect PATH         connect to the keeper: the reply is the descriptor
 *
 * A connection remains this process's for the kernel, whoever uses it then.
 *
 * With Define TAKEOVER_DAEMONS it has daemons that obey as well, as modules
 * have that run applications: forks of httpd's parent, one as it loads and one
 * later on, that run none of httpd's hooks. Each names itself for ps.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <apr_thread_proc.h>
#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <unixd.h>

#define TOKEN_OCTETS 32

/* As acme_keeper_address_t; the test checks its layout. */
typedef struct {
    const char *path;
    unsigned char token[TOKEN_OCTETS];
} address_t;

static int find_base(struct dl_phdr_info *info, size_t size, void *data)
{
    const char *slash = strrchr(info->dlpi_name, '/');

    (void)size;
    if (slash && !strcmp(slash, "/mod_acme.so")) {
        *(uintptr_t *)data = (uintptr_t)info->dlpi_addr;
        return 1;
    }
    return 0;
}

static socklen_t make_address(struct sockaddr_un *addr, const char *path)
{
    size_t len = strlen(path);

    memset(addr, 0, sizeof(*addr));
    addr->sun_family = AF_UNIX;
    memcpy(addr->sun_path, path, len);
    if (path[0] != '@') {
        return (socklen_t)sizeof(*addr);
    }
    addr->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

static void tell_errno(int fd)
{
    char text[32];

    send(fd, text, (size_t)snprintf(text, sizeof(text), "errno %d", errno), 0);
}

static void tell_address(int fd, const char *arguments)
{
    const address_t *(*client)(int who);
    const address_t *address;
    unsigned long offset;
    uintptr_t base = 0;
    char packet[TOKEN_OCTETS + sizeof(struct sockaddr_un)];
    int who;

    dl_iterate_phdr(find_base, &base);
    if (sscanf(arguments, "%lu %d", &offset, &who) != 2 || !base) {
        errno = EINVAL;
        tell_errno(fd);
        return;
    }
    base += offset;
    memcpy(&client, &base, sizeof(client));
    address = client(who);
    if (!address) {
        errno = ENOENT;
        tell_errno(fd);
        return;
    }
    memcpy(packet, address->token, TOKEN_OCTETS);
    strncpy(packet + TOKEN_OCTETS, address->path,
            sizeof(packet) - TOKEN_OCTETS);
    send(fd, packet, TOKEN_OCTETS + strlen(address->path), 0);
}

static void pass_connection(int fd, const char *path)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = "";
    struct iovec iov = { "ok", 2 };
    struct msghdr msg = { .msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = control,
                          .msg_controllen = sizeof(control) };
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
    struct sockaddr_un addr;
    socklen_t len = make_address(&addr, path);
    int made = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (made < 0 || connect(made, (struct sockaddr *)&addr, len)) {
        tell_errno(fd);
    }
    else {
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(cmsg), &made, sizeof(int));
        sendmsg(fd, &msg, 0);
    }
    close(made);
}

static void *obey(void *data)
{
    struct sockaddr_un addr;
    char text[512];
    socklen_t len;
    int listener, fd;
    ssize_t n;

    (void)data;
    snprintf(text, sizeof(text), "@acme-takeover-%d", (int)getpid());
    len = make_address(&addr, text);
    listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&addr, len) || listen(listener, 8)) {
        return NULL;
    }
    while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        while ((n = recv(fd, text, sizeof(text) - 1, 0)) > 0) {
            text[n] = '\0';
            if (!strncmp(text, "address ", 8)) {
                tell_address(fd, text + 8);
            }
            else if (!strncmp(text, "connect ", 8)) {
                pass_connection(fd, text + 8);
            }
        }
        close(fd);
    }
    return NULL;
}

/* Signals are the worker's own threads'. */
static void on_child_init(apr_pool_t *p, server_rec *s)
{
    pthread_t thread;
    sigset_t all, before;

    (void)p;
    (void)s;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (!pthread_create(&thread, NULL, obey, NULL)) {
        pthread_detach(thread);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* It ends with the load, or with the parent. */
static void fork_daemon(const char *name, apr_pool_t *pconf)
{
    apr_proc_t *proc = apr_pcalloc(pconf, sizeof(*proc));

    proc->pid = fork();
    if (proc->pid == 0) {
        if (geteuid() == 0 && (setgid(ap_unixd_config.group_id)
                               || setuid(ap_unixd_config.user_id))) {
            _exit(1);
        }
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, name);
        obey(NULL);
        _exit(1);
    }
    apr_pool_note_subprocess(pconf, proc, APR_KILL_ALWAYS);
}

static apr_pool_t *load;        /* NULL: its second daemon is there */

static int on_post_config(apr_pool_t *pconf, apr_pool_t *plog,
                          apr_pool_t *ptemp, server_rec *s)
{
    (void)plog;
    (void)ptemp;
    (void)s;
    if (ap_exists_config_define("TAKEOVER_DAEMONS")
        && ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_CREATE_PRE_CONFIG) {
        fork_daemon("takeover-load", pconf);
        load = pconf;
    }
    return OK;
}

static int on_monitor(apr_pool_t *p, server_rec *s)
{
    (void)p;
    (void)s;
    if (load) {
        fork_daemon("takeover-later", load);
        load = NULL;
    }
    return DECLINED;
}

static void register_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_post_config(on_post_config, NULL, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_monitor(on_monitor, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(on_child_init, NULL, NULL, APR_HOOK_LAST);
}

AP_DECLARE_MODULE(takeover) = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks, 0
};
