# What unit tests share: a library, of which a test takes what it needs.

in_help = -I$(srcdir)/%D% -I$(srcdir)/t/vectors
check_LTLIBRARIES = %D%/libhelp.la
%C%_libhelp_la_CPPFLAGS = $(in_help) $(keeper_flags) $(CMOCKA_CFLAGS)
%C%_libhelp_la_SOURCES = \
	%D%/certs.h \
	%D%/crypto.h \
	%D%/fake_ca.h \
	%D%/fake_dns.c \
	%D%/fake_dns.h \
	%D%/fake_https.c \
	%D%/fake_https.h \
	%D%/fake_plain.h \
	%D%/issuer.h \
	%D%/keeper.h \
	%D%/live.h \
	%D%/packet.h \
	%D%/pool.h \
	%D%/running.h \
	%D%/scratch.h \
	%D%/threads.h
