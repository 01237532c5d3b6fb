# ctl - acmectl, the tool of the administrator.

ctl_flags = $(in_ipc) $(in_renewal) $(in_store) $(in_protocol) $(in_net) \
	$(in_crypto) $(in_base) $(cppflags)

sbin_PROGRAMS = %D%/acmectl
%C%_acmectl_CPPFLAGS = $(ctl_flags)
%C%_acmectl_CFLAGS = $(AM_CFLAGS) $(ACME_PIE_CFLAGS)
%C%_acmectl_LDFLAGS = $(AM_LDFLAGS) $(ACME_PIE_LDFLAGS)
%C%_acmectl_LDADD = $(floors) $(libraries)
%C%_acmectl_SOURCES = %D%/acmectl.c

dist_man_MANS += %D%/acmectl.8
