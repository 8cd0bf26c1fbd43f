--- tocha.amp: automatic mixed precision.

local autocast = require "tocha.amp.autocast"
local scaler = require "tocha.amp.scaler"

return {
    autocast = autocast.autocast,
    GradScaler = scaler.new,
    modes = autocast,
}
