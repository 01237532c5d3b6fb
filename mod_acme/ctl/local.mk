# ctl - acmectl, the tool of the administrator.

# It reads the store, so that it has something to say while httpd does not run.
# What the headers of ipc/ include is in the path too; build/check-walls sees
# to it that nothing else includes it.
in_ctl = -I$(srcdir)/%D%
ctl_flags = $(in_ctl) $(in_import) $(in_ipc) $(in_store) $(in_protocol) \
	$(in_net) $(in_crypto) $(in_base) $(cppflags)

# All but main(), for the tests.
noinst_LTLIBRARIES += %D%/libacme_ctl.la
%C%_libacme_ctl_la_CPPFLAGS = $(ctl_flags) \
	-DACME_HOOKS_DIR='"$(hooksdir)"'
%C%_libacme_ctl_la_CFLAGS = $(hidden)
%C%_libacme_ctl_la_SOURCES = \
	%D%/acme_ctl_account.c %D%/acme_ctl_account.h \
	%D%/acme_ctl_accounts.c %D%/acme_ctl_accounts.h \
	%D%/acme_ctl_caa.c %D%/acme_ctl_caa.h \
	%D%/acme_ctl_call.c %D%/acme_ctl_call.h \
	%D%/acme_ctl_check.c %D%/acme_ctl_check.h \
	%D%/acme_ctl_checks.c %D%/acme_ctl_checks.h \
	%D%/acme_ctl_command.c %D%/acme_ctl_command.h \
	%D%/acme_ctl_dns_persist.c %D%/acme_ctl_dns_persist.h \
	%D%/acme_ctl_explain.c %D%/acme_ctl_explain.h \
	%D%/acme_ctl_export.c %D%/acme_ctl_export.h \
	%D%/acme_ctl_health.c %D%/acme_ctl_health.h \
	%D%/acme_ctl_help.c %D%/acme_ctl_help.h \
	%D%/acme_ctl_import.c %D%/acme_ctl_import.h \
	%D%/acme_ctl_keeper.c %D%/acme_ctl_keeper.h \
	%D%/acme_ctl_logs.c %D%/acme_ctl_logs.h \
	%D%/acme_ctl_nagios.c %D%/acme_ctl_nagios.h \
	%D%/acme_ctl_renew.c %D%/acme_ctl_renew.h \
	%D%/acme_ctl_revoke.c %D%/acme_ctl_revoke.h \
	%D%/acme_ctl_show.c %D%/acme_ctl_show.h \
	%D%/acme_ctl_status.c %D%/acme_ctl_status.h \
	%D%/acme_ctl_store.c %D%/acme_ctl_store.h \
	%D%/acme_ctl_term.c %D%/acme_ctl_term.h \
	%D%/acme_ctl_tlsa.c %D%/acme_ctl_tlsa.h \
	%D%/acme_ctl_usage.c %D%/acme_ctl_usage.h \
	%D%/acme_ctl_verbs.c %D%/acme_ctl_verbs.h \
	%D%/acme_ctl_version.c %D%/acme_ctl_version.h \
	%D%/acme_ctl_wait.c %D%/acme_ctl_wait.h \
	%D%/acme_ctl_watch.c %D%/acme_ctl_watch.h

sbin_PROGRAMS = %D%/acmectl
%C%_acmectl_CPPFLAGS = $(ctl_flags)
%C%_acmectl_CFLAGS = $(AM_CFLAGS) $(ACME_PIE_CFLAGS)
%C%_acmectl_LDFLAGS = $(AM_LDFLAGS) $(ACME_PIE_LDFLAGS)
%C%_acmectl_LDADD = %D%/libacme_ctl.la mod_acme/import/libacme_import.la \
	$(floors) $(libraries)
%C%_acmectl_SOURCES = %D%/acmectl.c

dist_man_MANS += %D%/acmectl.8
