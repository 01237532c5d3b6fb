# The unit tests of mod_acme/net/: a line a program.

net_tests = \
	%D%/test_dns_lookup \
	%D%/test_dns_message \
	%D%/test_http \
	%D%/test_retry_after
net_tests_libs = t/unit/help/libhelp.a \
	mod_acme/net/libacme_net.la \
	mod_acme/base/libacme_base.la

unit_tests += $(net_tests)
$(net_tests:%=%.$(OBJEXT)): AM_CPPFLAGS = $(in_help) $(net_flags) $(CMOCKA_CFLAGS)
$(net_tests): LDADD = $(call archives,$(net_tests_libs)) $(CMOCKA_LIBS) $(libraries)
$(net_tests): $(net_tests_libs)
