# The unit tests of mod_acme/base/: a line a program.

base_tests = \
	%D%/test_json \
	%D%/test_name \
	%D%/test_reason \
	%D%/test_result \
	%D%/test_stop \
	%D%/test_text \
	%D%/test_time \
	%D%/test_url
base_tests_libs = t/unit/help/libhelp.a \
	mod_acme/base/libacme_base.la

unit_tests += $(base_tests)
$(base_tests:%=%.$(OBJEXT)): AM_CPPFLAGS = $(in_help) $(base_flags) $(CMOCKA_CFLAGS)
$(base_tests): LDADD = $(call archives,$(base_tests_libs)) $(CMOCKA_LIBS) $(libraries)
$(base_tests): $(base_tests_libs)
