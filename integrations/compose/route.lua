-- Everything that comes goes on to the node, but for what comes from it.
function OnStoredInstance(instance, tags, metadata, origin)
  if origin["RequestOrigin"] ~= "Lua" and metadata["RemoteAET"] ~= "DEMOTTLE" then
    SendToModality(instance, "demottle")
  end
end
