--- Losses as modules.

local applied = require "nn.applied"
local core = require "tocha.core"
local functional = require "nn.functional"
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

--- A loss whose options are those of op: a list of what stands between the target and the reduction in op's order, or,
--- behind a name "reduction", after it.
local function loss(name, op, inputs, spec)
    local named = {}
    for i, entry in ipairs(spec) do
        named[i] = entry[1]
    end
    return name, spec, function(self, ...)
        local args = {}
        for i, input in ipairs(inputs) do
            args[input] = select(i, ...)
        end
        for _, field in ipairs(named) do
            args[field] = self[field]
        end
        return op(args)
    end, function(self, o)
        if not reductions[o.reduction] and not (o.reduction == "batchmean" and op == core.kl_div) then
            raise("%s: reduction must be mean, sum or none, got %s", self._name, options.describe(o.reduction))
        end
    end
end

local pair = {"input", "target"}
local reduction = {"reduction", "string", "mean"}
local weight = {"weight", "tensor", optional = true}

--- Squared difference below beta (1), absolute above, of two tensors of one shape. Options: reduction ("mean"), beta.
--- > nn.SmoothL1Loss()(tocha.tensor({3.0}), tocha.tensor({0.0})):item()
--- 2.5
losses.SmoothL1Loss = applied(loss("SmoothL1Loss", core.smooth_l1_loss, pair, {reduction, {"beta", "rate", 1.0}}))

--- As SmoothL1Loss, scaled by delta (1), where it changes (Huber, 1964). Options: reduction ("mean"), delta.
--- > nn.HuberLoss()(tocha.tensor({3.0}), tocha.tensor({0.0})):item()
--- 2.5
losses.HuberLoss = applied(loss("HuberLoss", core.huber_loss, pair, {reduction, {"delta", "positive", 1.0}}))

--- The divergence of the target's distribution from input's, whose logarithms input holds. Options: reduction ("mean",
--- or "batchmean", which is what the mathematics say), log_target (false).
--- > nn.KLDivLoss({reduction = "batchmean"})(tocha.tensor({0.5, 0.5}):log(), tocha.tensor({0.5, 0.5})):item()
--- 0.0
losses.KLDivLoss = applied(loss("KLDivLoss", core.kl_div, pair, {reduction, {"log_target", "boolean", false}}))

--- Cross entropy of probabilities, both in [0, 1]. Options: weight, reduction ("mean").
--- > nn.BCELoss()(tocha.tensor({0.5}), tocha.tensor({1.0}))
--- tensor(0.6931)
losses.BCELoss = applied(loss("BCELoss", core.binary_cross_entropy, pair, {weight, reduction}))

--- BCELoss of sigmoid(input), without its loss of precision. Options: weight, reduction ("mean"), pos_weight, of the
--- target's ones.
--- > nn.BCEWithLogitsLoss()(tocha.tensor({0.0}), tocha.tensor({1.0}))
--- tensor(0.6931)
losses.BCEWithLogitsLoss = applied(loss("BCEWithLogitsLoss", core.binary_cross_entropy_with_logits, pair,
    {weight, reduction, {"pos_weight", "tensor", optional = true}}))

--- Minus the log likelihood of counts under the Poisson distribution whose rate input says, by its logarithm unless
--- log_input is false. Options: log_input (true), full (false), eps (1e-8), reduction ("mean").
--- > nn.PoissonNLLLoss()(tocha.tensor({0.0}), tocha.tensor({2.0})):item()
--- 1.0
losses.PoissonNLLLoss = applied(loss("PoissonNLLLoss", core.poisson_nll_loss, pair,
    {{"log_input", "boolean", true}, {"full", "boolean", false}, {"eps", "positive", 1e-8}, reduction}))

--- Minus the log likelihood under normal distributions: forward(input, target, var). Options: full (false), eps (1e-6),
--- the least variance, reduction ("mean").
--- > nn.GaussianNLLLoss()(tocha.tensor({1.0}), tocha.tensor({3.0}), tocha.tensor({1.0})):item()
--- 2.0
losses.GaussianNLLLoss = applied(loss("GaussianNLLLoss", core.gaussian_nll_loss, {"input", "target", "var"},
    {{"full", "boolean", false}, {"eps", "positive", 1e-6}, reduction}))

--- log(1 + e^(-target input)) for targets 1 and -1. Options: reduction ("mean").
--- > nn.SoftMarginLoss()(tocha.tensor({0.0}), tocha.tensor({1.0}))
--- tensor(0.6931)
losses.SoftMarginLoss = applied(loss("SoftMarginLoss", core.soft_margin_loss, pair, {reduction}))

--- The distance input where target is 1, what it lacks to margin (1) where target is -1. Options: margin, reduction
--- ("mean").
--- > nn.HingeEmbeddingLoss()(tocha.tensor({0.25}), tocha.tensor({-1.0})):item()
--- 0.75
losses.HingeEmbeddingLoss = applied(loss("HingeEmbeddingLoss", core.hinge_embedding_loss, pair,
    {{"margin", "number", 1.0}, reduction}))

--- BCEWithLogitsLoss over classes, (n, classes), with their mean for each sample. Options: weight (classes), reduction
--- ("mean").
--- > nn.MultiLabelSoftMarginLoss()(tocha.zeros(1, 2), tocha.tensor({{1.0, 0.0}}))
--- tensor(0.6931)
losses.MultiLabelSoftMarginLoss = applied(loss("MultiLabelSoftMarginLoss", core.multilabel_soft_margin_loss, pair,
    {weight, reduction}))

--- How far the larger of two scores is from being so by margin (0): forward(input1, input2, target), target 1 where
--- input1 should be larger, else -1. Options: margin, reduction ("mean").
--- > nn.MarginRankingLoss()(tocha.tensor({1.0}), tocha.tensor({3.0}), tocha.tensor({1.0})):item()
--- 2.0
losses.MarginRankingLoss = applied(loss("MarginRankingLoss", core.margin_ranking_loss, {"input1", "input2", "target"},
    {{"margin", "number", 0.0}, reduction}))

--- What the other classes' scores lack to margin (1) below that of the label: input (n, classes), target (n), labels
--- from 1. Options: p (1 or 2), margin, weight (classes), reduction ("mean").
--- > nn.MultiMarginLoss()(tocha.tensor({{1.0, 0.5}}), tocha.tensor({1})):item()
--- 0.25
losses.MultiMarginLoss = applied(loss("MultiMarginLoss", core.multi_margin_loss, pair,
    {{"p", "integer", 1}, {"margin", "number", 1.0}, weight, reduction}))

--- MultiMarginLoss with several labels a sample: target (n, classes), labels from 1, of which those before the first 0
--- count. Options: reduction ("mean").
--- > nn.MultiLabelMarginLoss()(tocha.tensor({{1.0, 0.5}}), tocha.tensor({{1, 0}})):item()
--- 0.25
losses.MultiLabelMarginLoss = applied(loss("MultiLabelMarginLoss", core.multilabel_margin_loss, pair, {reduction}))

--- 1 less the cosine between two vectors where target is 1, the cosine above margin (0) where it is -1:
--- forward(input1, input2, target). Options: margin, reduction ("mean").
--- > nn.CosineEmbeddingLoss()(tocha.ones(1, 2), tocha.ones(1, 2), tocha.tensor({-1.0}))
--- tensor(1)
losses.CosineEmbeddingLoss = applied(loss("CosineEmbeddingLoss", core.cosine_embedding_loss,
    {"input1", "input2", "target"}, {{"margin", "number", 0.0}, reduction}))

--- How far positive is from being nearer to anchor than negative by margin (1): forward(anchor, positive, negative).
--- Options: margin, p (2) of the distance, eps (1e-6), swap (false), reduction ("mean").
--- > nn.TripletMarginLoss(2)(tocha.zeros(1, 2), tocha.zeros(1, 2), tocha.zeros(1, 2)):item()
--- 2.0
losses.TripletMarginLoss = applied(loss("TripletMarginLoss", core.triplet_margin_loss,
    {"anchor", "positive", "negative"}, {{"margin", "positive", 1.0}, {"p", "number", 2.0}, {"eps", "number", 1e-6},
        {"swap", "boolean", false}, reduction}))

--- TripletMarginLoss with a distance of one's own. Options: distance_function (PairwiseDistance), margin (1), swap
--- (false), reduction ("mean").
--- > local z = tocha.zeros(1, 2); return nn.TripletMarginWithDistanceLoss({margin = 2})(z, z, z):item()
--- 2.0
losses.TripletMarginWithDistanceLoss = applied(loss("TripletMarginWithDistanceLoss",
    functional.triplet_margin_with_distance_loss, {"anchor", "positive", "negative"},
    {{"distance_function", "call", core.pairwise_distance}, {"margin", "positive", 1.0}, {"swap", "boolean", false},
        reduction}))

--- Connectionist temporal classification (Graves et al., ICML 2006): forward(log_probs, targets, input_lengths,
--- target_lengths) as of tocha.ctc_loss. Options: blank (1), the class that stands for no label, reduction ("mean"),
--- zero_infinity (false).
--- > nn.CTCLoss()(tocha.zeros(2, 1, 2):log_softmax(3), tocha.tensor({{2}}), tocha.tensor({2}), tocha.tensor({1}))
--- tensor(0.2877)
losses.CTCLoss = applied(loss("CTCLoss", core.ctc_loss, {"log_probs", "targets", "input_lengths", "target_lengths"},
    {{"blank", "integer", 1}, reduction, {"zero_infinity", "boolean", false}}))

return losses
