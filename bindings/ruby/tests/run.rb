# frozen_string_literal: true

# Runs test files, all of them if none is named, and ends with "N passed, N failed".

require "helper"

# Counts tests, not assertions, and says which ones are slow only when asked to.
class Count < Minitest::StatisticsReporter
  def report
    super
    failed = failures + errors
    io.puts "#{count - failed - skips} passed, #{failed} failed"
  end
end

module Minitest
  def self.plugin_count_init(options)
    reporter << Count.new(options[:io], options)
  end
end
Minitest.extensions << "count"

named, options = ARGV.partition { |it| it.end_with?(".rb") }
files = named.empty? ? Dir[File.join(__dir__, "*_test.rb")].sort : named.map { |it| File.expand_path(it) }
ARGV.replace(options)
files.each { |file| require file }
Minitest.autorun
