--- Losses as modules.

local core = require "tocha.core"
local options = require "tocha.options"
local raise = require "tocha.raise"
local class = require("nn.module").class

local losses = {}

local reductions = {mean = true, sum = true, none = true}

local function read(who, spec, ...)
    local o = options.read(who, spec, ...)
    if not reductions[o.reduction] then
        raise("%s: reduction must be mean, sum or none, got %s", who, options.describe(o.reduction))
    end
    return o
end

--- Prints only what differs from the defaults.
local function settings(self)
    local parts = {}
    if self.reduction ~= "mean" then
        parts[#parts + 1] = ("reduction = %q"):format(self.reduction)
    end
    if self.label_smoothing and self.label_smoothing ~= 0 then
        parts[#parts + 1] = ("label_smoothing = %s"):format(self.label_smoothing)
    end
    if self.ignore_index and self.ignore_index ~= -100 then
        parts[#parts + 1] = ("ignore_index = %d"):format(self.ignore_index)
    end
    return #parts > 0 and ("{%s}"):format(table.concat(parts, ", ")) or ""
end

local nll_spec = {
    {"weight", "tensor", optional = true},
    {"ignore_index", "integer", -100},
    {"reduction", "string", "mean"},
}

--- Negative log likelihood of class labels, counted from 1, given log-probabilities: input (n, classes), target (n).
--- Options: weight, a tensor (classes); ignore_index (-100), a label that counts for nothing; reduction ("mean",
--- "sum" or "none").
local NLLLoss = class("NLLLoss")
losses.NLLLoss = NLLLoss

function NLLLoss:init(...)
    local o = read("NLLLoss", nll_spec, ...)
    self:register_buffer("weight", o.weight)
    self.ignore_index, self.reduction = o.ignore_index, o.reduction
end

function NLLLoss:forward(input, target)
    return core.nll_loss(input, target, self.weight, self.ignore_index, self.reduction)
end

NLLLoss.extra_repr = settings

local cross_entropy_spec = {
    {"weight", "tensor", optional = true},
    {"ignore_index", "integer", -100},
    {"reduction", "string", "mean"},
    {"label_smoothing", "share", 0.0},
}

--- Cross entropy of class labels, counted from 1, or of probabilities, given logits: input (n, classes), target (n) or
--- (n, classes). Options: weight, a tensor (classes); ignore_index (-100), a label that counts for nothing; reduction
--- ("mean", "sum" or "none"); label_smoothing (0), the share of the uniform distribution mixed into the target.
local CrossEntropyLoss = class("CrossEntropyLoss")
losses.CrossEntropyLoss = CrossEntropyLoss

function CrossEntropyLoss:init(...)
    local o = read("CrossEntropyLoss", cross_entropy_spec, ...)
    self:register_buffer("weight", o.weight)
    self.ignore_index, self.reduction, self.label_smoothing = o.ignore_index, o.reduction, o.label_smoothing
end

function CrossEntropyLoss:forward(input, target)
    return core.cross_entropy(input, target, self.weight, self.ignore_index, self.reduction, self.label_smoothing)
end

CrossEntropyLoss.extra_repr = settings

--- Squared difference of two tensors of one shape. Options: reduction ("mean", "sum" or "none").
local MSELoss = class("MSELoss")
losses.MSELoss = MSELoss

function MSELoss:init(...)
    self.reduction = read("MSELoss", {{"reduction", "string", "mean"}}, ...).reduction
end

function MSELoss:forward(input, target)
    return core.mse_loss(input, target, self.reduction)
end

MSELoss.extra_repr = settings

--- Absolute difference of two tensors of one shape. Options: reduction ("mean", "sum" or "none").
local L1Loss = class("L1Loss")
losses.L1Loss = L1Loss

function L1Loss:init(...)
    self.reduction = read("L1Loss", {{"reduction", "string", "mean"}}, ...).reduction
end

function L1Loss:forward(input, target)
    return core.l1_loss(input, target, self.reduction)
end

L1Loss.extra_repr = settings

return losses
