# The unit tests of mod_acme/ctl/: a line a program.

ctl_tests = \
	%D%/test_call \
	%D%/test_checks \
	%D%/test_export \
	%D%/test_health \
	%D%/test_show \
	%D%/test_store_list \
	%D%/test_term
ctl_tests_libs = t/unit/help/libhelp.a \
	mod_acme/ctl/libacme_ctl.la \
	mod_acme/import/libacme_import.la \
	mod_acme/ipc/libacme_ipc.la \
	mod_acme/store/libacme_store.la \
	mod_acme/protocol/libacme_protocol.la \
	mod_acme/net/libacme_net.la \
	mod_acme/crypto/libacme_crypto.la \
	mod_acme/base/libacme_base.la

unit_tests += $(ctl_tests)
$(ctl_tests:%=%.$(OBJEXT)): AM_CPPFLAGS = $(in_help) $(ctl_flags) $(CMOCKA_CFLAGS)
$(ctl_tests): LDADD = $(call archives,$(ctl_tests_libs)) $(CMOCKA_LIBS) $(libraries)
$(ctl_tests): $(ctl_tests_libs)
