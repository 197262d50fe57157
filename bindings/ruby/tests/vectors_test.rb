# frozen_string_literal: true

# Ruby's values become the same bytes, and replies the same values, as everywhere.
class VectorsTest < Minitest::Test
  EXACT = (2**53) - 1

  def self.load(folder)
    Dir["#{TREE}/tests/vectors/#{folder}/*.json"].sort.flat_map { |file| JSON.parse(File.read(file)) }
  end

  # A Ruby value for one in canonical JSON.
  def argument(value)
    return value.map { |it| argument(it) } if value.is_a?(Array)
    return value unless value.is_a?(Hash)

    kind, content = *value.first
    case kind
    when "bytes" then [content].pack("H*")
    when "double" then content.is_a?(String) ? special(content) : content.to_f
    when "map" then content.to_h { |key, it| [argument(key), argument(it)] }
    else flunk "#{kind} is no kind of argument"
    end
  end

  def special(name) = { "inf" => Float::INFINITY, "-inf" => -Float::INFINITY, "nan" => Float::NAN }.fetch(name)

  # Bytes that stand in JSON.
  def raw(value) = value.is_a?(String) ? value.b : [value["bytes"]].pack("H*")

  # What came back, in canonical JSON.
  def canonical(value)
    case value
    when String then text(value)
    when Integer then value.abs <= EXACT ? value : { "integer" => value.to_s }
    when Float then { "double" => value.finite? ? value : value.to_s.downcase.sub("infinity", "inf") }
    when Array then value.map { |it| canonical(it) }
    when Hash then { "map" => value.map { |key, it| [canonical(key), canonical(it)] } }
    when Steadis::Error then { "error" => value.message }
    else value
    end
  end

  def text(value)
    return value if value.encoding == Encoding::UTF_8

    assert_equal Encoding::BINARY, value.encoding
    { "bytes" => value.unpack1("H*") }
  end

  # Sets are arrays here.
  def same?(ours, expected)
    members = expected["set"] if expected.is_a?(Hash)
    if members && ours.is_a?(Array)
      return ours.size == members.size && ours.all? { |it| members.any? { |member| same?(it, member) } }
    end
    return false if ours.class != expected.class
    return ours.size == expected.size && ours.zip(expected).all? { |pair| same?(*pair) } if ours.is_a?(Array)
    return same?(ours["map"], expected["map"]) if ours.is_a?(Hash) && ours["map"] && expected["map"]

    ours == expected
  end

  def call_of(it) = [it.fetch("args", []).map { |one| argument(one) }, named(it.fetch("options", {}))]
  def named(options) = options.to_h { |name, value| [name.to_sym, argument(value)] }

  def resp(words) = "*#{words.size}\r\n".b + words.map { |it| "$#{it.bytesize}\r\n".b + it + "\r\n" }.join

  COMMANDS = load("commands")

  def test_calls_are_sent_as_they_must_be
    calls = COMMANDS.flat_map do |vector|
      (vector["calls"] || []).each do |call|
        encode = -> { Steadis._encode(vector["command"], *call_of(call)) }
        if (wrong = vector["error"])
          error = assert_raises(Steadis::Error, call.to_s, &encode)
          assert_equal wrong["kind"], error.kind
          assert_includes error.message, wrong["phrase"]
        else
          assert_equal resp(vector["argv"].map { |it| raw(it) }), encode.call, call.to_s
        end
      end
    end
    assert_operator calls.size, :>, 1000
  end

  def test_replies_become_the_same_values_in_both_protocols
    count = 0
    COMMANDS.each do |vector|
      %w[resp2 resp3].filter { |it| vector.key?(it) }.each do |protocol|
        value = canonical(Steadis._reply(vector["command"], *call_of(vector), raw(vector[protocol])))
        assert same?(value, vector["value"]), "#{vector} in #{protocol} becomes #{value}"
        count += 1
      end
    end
    assert_operator count, :>, 300
  end

  load("config").each do |vector|
    define_method("test_settings: #{vector["name"]}") do
      Dir.mktmpdir do |folder|
        (vector["files"] || {}).each { |name, text| File.write(File.join(folder, name), text) }
        placed = JSON.parse(JSON.generate(vector).gsub("{dir}", folder))
        check_settings(placed)
      end
    end
  end

  def check_settings(vector)
    resolve = lambda {
      options = vector.fetch("options", {}).transform_keys(&:to_sym)
      Steadis._configuration(vector["env"] || {}, vector["url"], vector["unit"] == "ms", options)
    }
    if (wrong = vector["error"])
      error = assert_raises(Steadis::Error, &resolve)
      assert_equal wrong["kind"], error.kind
      return assert_includes(error.message, wrong["phrase"])
    end
    configuration, warnings = resolve.call
    assert_equal vector["expect"], JSON.parse(configuration)
    phrases = vector["warnings"] || []
    assert_equal phrases.size, warnings.size, warnings.inspect
    assert(phrases.all? { |phrase| warnings.any? { |it| it.include?(phrase) } }, warnings.inspect)
  end
end
