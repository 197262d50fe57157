# frozen_string_literal: true

# The examples do what they say.
class ExamplesTest < Test
  SAID = {
    "connect" => /\A3 items\nserved by 127.0.0.1:\d+\n\z/,
    "five_lines" => "3 items\n",
    "failover_loop" => /^1\n(primary is now .*\n)?2\n\z/,
    "pipeline" => /\A\["OK", 2, "2"\]\n\[3, 1\]\n6\n\z/,
    "pubsub" => /\Anews: hello\n\z/
  }.freeze

  def test_every_example
    files = Dir["#{TREE}/examples/ruby/*.rb"]
    assert_equal SAID.keys.sort, files.map { |it| File.basename(it, ".rb") }.sort
    files.each do |file|
      load_path = $LOAD_PATH.first(3).flat_map { |it| ["-I", it] }
      environment = { "REDIS_URL" => Server.shared.url }
      out = IO.popen([environment, RbConfig.ruby, *load_path, file, "2"], &:read)
      assert_operator SAID.fetch(File.basename(file, ".rb")), :===, out, file
    end
  end
end
