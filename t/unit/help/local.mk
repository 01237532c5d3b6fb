# What unit tests share: a library, of which a test takes what it needs. A
# helper may know the keeper's floor; a test includes none that knows more
# than its own.

in_help = -I$(srcdir)/%D% -I$(srcdir)/t/vectors
check_LIBRARIES = %D%/libhelp.a
%C%_libhelp_a_CPPFLAGS = $(in_help) $(keeper_flags) $(CMOCKA_CFLAGS)
%C%_libhelp_a_SOURCES = \
	%D%/certs.c %D%/certs.h \
	%D%/child.c %D%/child.h \
	%D%/door.c %D%/door.h \
	%D%/fake_ca.c %D%/fake_ca.h \
	%D%/fake_dns.c %D%/fake_dns.h \
	%D%/fake_https.c %D%/fake_https.h \
	%D%/fake_keeper.c %D%/fake_keeper.h \
	%D%/fake_plain.c %D%/fake_plain.h \
	%D%/issuer.c %D%/issuer.h \
	%D%/keeper_process.c %D%/keeper_process.h \
	%D%/keys.c %D%/keys.h \
	%D%/live.c %D%/live.h \
	%D%/live_memory.c %D%/live_memory.h \
	%D%/log_file.c %D%/log_file.h \
	%D%/make_conf.c %D%/make_conf.h \
	%D%/open_registry.c %D%/open_registry.h \
	%D%/open_store.c %D%/open_store.h \
	%D%/packet.c %D%/packet.h \
	%D%/pool.c %D%/pool.h \
	%D%/ready_generate.c \
	%D%/ready_keys.c %D%/ready_keys.h \
	%D%/registry_case.c %D%/registry_case.h \
	%D%/same_key.c %D%/same_key.h \
	%D%/scratch.c %D%/scratch.h \
	%D%/threads.c %D%/threads.h \
	%D%/with_launcher.c %D%/with_launcher.h

# Tests are linked without libtool, which takes ten times as long as the
# linker: they take the floors' archives from where libtool puts them.
archives = $(foreach lib,$(1),$(if $(filter %.la,$(lib)), \
	$(dir $(lib)).libs/$(notdir $(lib:.la=.a)),$(lib)))
$(check_PROGRAMS): private LINK = $(CCLD) $(AM_CFLAGS) $(CFLAGS) \
	$(AM_LDFLAGS) $(LDFLAGS) -o $@

# And compiled without optimization, in less than half the time.
$(unit_tests:%=%.$(OBJEXT)) $(%C%_libhelp_a_OBJECTS): \
	private CFLAGS += -O0 -U_FORTIFY_SOURCE
