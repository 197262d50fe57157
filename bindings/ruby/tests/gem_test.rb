# frozen_string_literal: true

require "fileutils"
require "rubygems/package"
require "rubygems/user_interaction"

# The gem, unpacked somewhere else, is all that is needed to compile and to load it.
class GemTest < Minitest::Test
  # Kept, so that the next run has less to compile.
  PLACE = "#{TREE}/target/gem"

  def setup
    FileUtils.rm_rf(PLACE)
    FileUtils.mkdir_p(PLACE)
    spec = Gem::Specification.load("#{TREE}/steadis.gemspec")
    Gem::DefaultUserInteraction.use_ui(Gem::SilentUI.new) do
      Dir.chdir(TREE) { Gem::Package.build(spec, false, false, "#{PLACE}/steadis.gem") }
    end
    Gem::Package.new("#{PLACE}/steadis.gem").extract_files("#{PLACE}/unpacked")
  end

  def test_it_compiles_and_loads
    line = ["cargo", "check", "--quiet", "--locked", "--package", "steadis-ruby", "--target-dir", "#{TREE}/target"]
    said = IO.popen(line, chdir: "#{PLACE}/unpacked", err: %i[child out], &:read)
    assert_predicate $?, :success?, said
    load_path = ["#{PLACE}/unpacked/bindings/ruby/lib", "#{TREE}/bindings/ruby"].flat_map { |it| ["-I", it] }
    said = IO.popen([RbConfig.ruby, "-w", *load_path, "-rsteadis", "-e", "print Steadis::VERSION"], &:read)
    assert_equal Steadis::VERSION, said
    assert_includes said, File.read("#{TREE}/Cargo.toml")[/^version = "([^"]+)"/, 1]
  end

  def test_it_brings_signatures_licences_and_nothing_of_the_tests
    files = Dir.chdir("#{PLACE}/unpacked") { Dir["**/*"].select { |it| File.file?(it) } }
    %w[bindings/ruby/sig/steadis.rbs bindings/ruby/sig/commands.rbs Cargo.lock LICENSE-MIT docs/ruby.md].each do |it|
      assert_includes files, it
    end
    assert_empty files.grep(%r{tests?/.*\.rb|\.so\z})
  end
end
