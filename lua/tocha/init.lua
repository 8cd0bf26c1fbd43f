--- Tocha's main module: the engine's operators and tensors, with what is best said in Lua.

local core = require "tocha.core"
local aliases = require "tocha.aliases"
local amp = require "tocha.amp"
local analysis = require "tocha.analysis"
local autograd = require "tocha.autograd"
local backends = require "tocha.backends"
local close = require "tocha.close"
local conversions = require "tocha.conversions"
local dtypes = require "tocha.dtypes"
local cuda = require "tocha.cuda"
local grids = require "tocha.grids"
local help = require "tocha.help"
local namespace = require "tocha.namespace"
local pieces = require "tocha.pieces"
local pooling = require "tocha.pooling"
local printing = require "tocha.print"
local reshaping = require "tocha.reshaping"
local saving = require "tocha.save"

-- Errors are laid at the first frame outside this folder: the user's line, not the library's.
local folder = debug.getinfo(1, "S").source:match("^@(.*)tocha/init%.lua$")
if folder then
    core._set_library(folder)
end

core.metatable.__tostring = printing.format
conversions.install(core.methods)
for _, library in ipairs {pieces, grids, pooling} do
    for name, f in pairs(library) do
        core[name] = f
        core.methods[name] = f
    end
end

for _, library in ipairs {analysis, dtypes} do
    for name, f in pairs(library) do
        core[name] = f
    end
end
core.methods.histogram = analysis.histogram
core.allclose = close.allclose
core.methods.allclose = close.allclose

reshaping.install(core.methods)
aliases.install(core)

autograd._install()
core.func = require "tocha.func"
core.set_printoptions = printing.set_printoptions
core.linalg = namespace.names(core, "linalg", {"diagonal", "matmul"})
core.fft = namespace.names(core, "fft")
core.special = namespace.names(core, "special", {"digamma", "erf", "erfc", "erfinv", "exp2", "expm1", "i0", "log1p",
    "log_softmax", "logit", "logsumexp", "polygamma", "round", "sinc", "softmax", "xlogy"})
core.cuda = cuda
core.backends = {cuda = backends.cuda, cudnn = backends.cudnn}
core.set_float32_matmul_precision = backends.set_float32_matmul_precision
core.get_float32_matmul_precision = backends.get_float32_matmul_precision
cuda.matmul = backends.cuda.matmul
core.amp = {autocast = amp.autocast, GradScaler = amp.GradScaler}
core.GradScaler = amp.GradScaler
for name, f in pairs(amp.modes) do
    core[name] = f
end
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
