--- Tocha's main module: the engine's operators and tensors, with what is best said in Lua.

local core = require "tocha.core"
local aliases = require "tocha.aliases"
local close = require "tocha.close"
local help = require "tocha.help"
local linalg = require "tocha.linalg"
local pieces = require "tocha.pieces"
local printing = require "tocha.print"
local saving = require "tocha.save"

-- Errors are laid at the first frame outside this folder: the user's line, not the library's.
local folder = debug.getinfo(1, "S").source:match("^@(.*)tocha/init%.lua$")
if folder then
    core._set_library(folder)
end

core.metatable.__tostring = printing.format
for name, dtype in pairs {bool = "bool", int = "int32", long = "int64", half = "float16", bfloat16 = "bfloat16",
    float = "float32", double = "float64"} do
    core.methods[name] = function(x) return x:to(dtype) end
end

--- The tensor on the CPU: itself if it is there already.
function core.methods.cpu(x)
    return x:to {device = "cpu"}
end

--- The tensor on a GPU ("cuda" unless given): itself if it is there already.
function core.methods.cuda(x, device)
    return x:to {device = device or "cuda"}
end

for name, f in pairs(pieces) do
    core[name] = f
    core.methods[name] = f
end

core.allclose = close.allclose
core.methods.allclose = close.allclose

aliases.install(core)

core.set_printoptions = printing.set_printoptions
core.linalg = linalg.names(core)
core.save = saving.save
core.load = saving.load

--- Calls f(...) and gives what it returns; whatever it drew or seeded, the default generator then stands where it
--- stood before, also after an error.
function core.fork_rng(f, ...)
    local state = core.get_rng_state()
    local _ <close> = setmetatable({}, {__close = function() core.set_rng_state(state) end})
    return f(...)
end

--- Prints what an operator (by name or as a function), a class or a library function does; without argument, what
--- there is.
function core.help(what)
    print(help.text(what))
end

return core
