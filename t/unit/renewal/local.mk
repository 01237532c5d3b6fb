# The unit tests of mod_acme/renewal/: a line a program.

renewal_tests = \
	%D%/test_breaker \
	%D%/test_ca_pool \
	%D%/test_order_begin \
	%D%/test_parallel \
	%D%/test_propagation \
	%D%/test_rate_limits \
	%D%/test_rehearsal_dns \
	%D%/test_rehearsal_judge \
	%D%/test_renewal \
	%D%/test_revoked \
	%D%/test_scheduler \
	%D%/test_self_check_task \
	%D%/test_timing \
	%D%/test_validation
EXTRA_DIST += %D%/renewing.h
renewal_tests_libs = t/unit/help/libhelp.a \
	mod_acme/renewal/libacme_renewal.la \
	mod_acme/ipc/libacme_ipc.la \
	mod_acme/protocol/libacme_protocol.la \
	mod_acme/net/libacme_net.la \
	mod_acme/crypto/libacme_crypto.la \
	mod_acme/base/libacme_base.la

unit_tests += $(renewal_tests)
$(renewal_tests:%=%.$(OBJEXT)): AM_CPPFLAGS = $(in_help) $(renewal_flags) $(CMOCKA_CFLAGS)
$(renewal_tests): LDADD = $(call archives,$(renewal_tests_libs)) $(CMOCKA_LIBS) $(libraries)
$(renewal_tests): $(renewal_tests_libs)

# It waits by a clock of its own.
clocked_tests = %D%/test_propagation
$(clocked_tests): private AM_LDFLAGS += \
	-Wl,--wrap=acme_dns_lookup_now -Wl,--wrap=acme_dns_lookup_run

# How long a reply took is what the test says.
timed_tests = %D%/test_ca_pool
$(timed_tests): private AM_LDFLAGS += -Wl,--wrap=acme_http_send
