# ctl - acmectl, the tool of the administrator.

# What the headers of ipc/ include is in the path too; build/check-walls sees
# to it that nothing else includes it.
ctl_flags = $(in_ipc) $(in_protocol) $(in_net) $(in_crypto) $(in_base) \
	$(cppflags)

sbin_PROGRAMS = %D%/acmectl
%C%_acmectl_CPPFLAGS = $(ctl_flags)
%C%_acmectl_CFLAGS = $(AM_CFLAGS) $(ACME_PIE_CFLAGS)
%C%_acmectl_LDFLAGS = $(AM_LDFLAGS) $(ACME_PIE_LDFLAGS)
%C%_acmectl_LDADD = $(floors) $(libraries)
%C%_acmectl_SOURCES = \
	%D%/acme_ctl_call.c %D%/acme_ctl_call.h \
	%D%/acme_ctl_keeper.c %D%/acme_ctl_keeper.h \
	%D%/acme_ctl_show.c %D%/acme_ctl_show.h \
	%D%/acmectl.c

dist_man_MANS += %D%/acmectl.8
