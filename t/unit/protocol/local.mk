# The unit tests of mod_acme/protocol/: a line a program.

protocol_tests = \
	%D%/test_account \
	%D%/test_authorization \
	%D%/test_caa \
	%D%/test_certificate \
	%D%/test_dns_persist \
	%D%/test_known_ca \
	%D%/test_link \
	%D%/test_order \
	%D%/test_problem \
	%D%/test_renewal_info \
	%D%/test_session
protocol_tests_libs = t/unit/help/libhelp.a \
	mod_acme/protocol/libacme_protocol.la \
	mod_acme/net/libacme_net.la \
	mod_acme/crypto/libacme_crypto.la \
	mod_acme/base/libacme_base.la

unit_tests += $(protocol_tests)
$(protocol_tests:%=%.$(OBJEXT)): AM_CPPFLAGS = $(in_help) $(protocol_flags) $(CMOCKA_CFLAGS)
$(protocol_tests): LDADD = $(call archives,$(protocol_tests_libs)) $(CMOCKA_LIBS) $(libraries)
$(protocol_tests): $(protocol_tests_libs)
