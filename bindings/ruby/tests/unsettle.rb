# frozen_string_literal: true

require "socket"

# Has the server play a replica until the client has told of it, and returns the name of that event.
def unsettle(client, url, heard)
  client.call("REPLICAOF", "127.0.0.1", "1")
  begin
    client.options(timeout: 0.5).incr("unsettled")
  rescue Steadis::Error => e
    raise unless e.retryable?
  end
  heard.pop.name
ensure
  host, port = url.delete_prefix("redis://").split(":")
  TCPSocket.open(host, Integer(port, 10)) do |server|
    server.write("REPLICAOF NO ONE\r\n")
    server.gets
  end
end
