# frozen_string_literal: true

# What the signatures say is what the methods take and return: the tests of the client run once
# more, with every call checked.
class SignaturesTest < Test
  CHECKED = { "RBS_TEST_TARGET" => "Steadis::*", "RBS_TEST_OPT" => "-I #{TREE}/bindings/ruby/sig",
              "RBS_TEST_RAISE" => "true", "RBS_TEST_LOGLEVEL" => "error" }.freeze

  def test_every_call_of_the_clients_tests_fits
    load_path = $LOAD_PATH.first(3).flat_map { |it| ["-I", it] }
    # The check hides what the parameters of a block are called.
    line = [RbConfig.ruby, "-W0", *load_path, "-rrbs/test/setup", "#{__dir__}/run.rb", "#{__dir__}/client_test.rb",
            "-e", "/subscriptions_as_in_redis_rb/"]
    out = IO.popen(CHECKED, line, err: %i[child out], &:read)
    assert_match(/^1[0-9] passed, 0 failed$/, out)
  end
end
