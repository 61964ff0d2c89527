# Security groups, one a place, made from the network matrix. A group names groups; only the edge knows the world.

locals {
  rules = {
    for rule in var.matrix.rules : "${rule.from}-${rule.to}-${rule.port}" => rule
    if contains(var.places, rule.from) && contains(var.places, rule.to)
    && (rule.when == null || contains(var.switches, coalesce(rule.when, "-")))
  }
  grouped = { for place, what in var.matrix.places : place => what if contains(["host", "service"], what.kind) && contains(var.places, place) }
  lists   = { s3 = var.s3_prefix_list_id, internet = aws_ec2_managed_prefix_list.internet.id }

  # One rule a range, because a place of the kind `addresses` may have several.
  by_range = merge([
    for key, rule in local.rules : merge(
      { for range in lookup(var.addresses, rule.from, []) : "${key}-in-${range}" => merge(rule, { range = range, side = "in" }) },
      { for range in lookup(var.addresses, rule.to, []) : "${key}-out-${range}" => merge(rule, { range = range, side = "out" }) },
    )
  ]...)
}

resource "aws_security_group" "place" {
  # checkov:skip=CKV2_AWS_5: Each belongs to hosts, endpoints, database, cache or balancer of other modules, which checkov does not see.
  for_each    = local.grouped
  name        = "${var.name}-${each.key}"
  description = each.value.why
  vpc_id      = var.vpc_id
  tags        = { Name = "${var.name}-${each.key}", Tier = each.key }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "from_group" {
  for_each                     = { for key, rule in local.rules : key => rule if contains(keys(local.grouped), rule.from) && contains(keys(local.grouped), rule.to) }
  security_group_id            = aws_security_group.place[each.value.to].id
  referenced_security_group_id = aws_security_group.place[each.value.from].id
  from_port                    = each.value.port
  to_port                      = each.value.port
  ip_protocol                  = each.value.protocol
  description                  = each.value.why
}

resource "aws_vpc_security_group_egress_rule" "to_group" {
  for_each                     = { for key, rule in local.rules : key => rule if contains(keys(local.grouped), rule.from) && contains(keys(local.grouped), rule.to) }
  security_group_id            = aws_security_group.place[each.value.from].id
  referenced_security_group_id = aws_security_group.place[each.value.to].id
  from_port                    = each.value.port
  to_port                      = each.value.port
  ip_protocol                  = each.value.protocol
  description                  = each.value.why
}

resource "aws_vpc_security_group_ingress_rule" "from_range" {
  for_each          = { for key, rule in local.by_range : key => rule if rule.side == "in" }
  security_group_id = aws_security_group.place[each.value.to].id
  cidr_ipv4         = each.value.range
  from_port         = each.value.port
  to_port           = each.value.port
  ip_protocol       = each.value.protocol
  description       = each.value.why
}

resource "aws_vpc_security_group_egress_rule" "to_range" {
  for_each          = { for key, rule in local.by_range : key => rule if rule.side == "out" }
  security_group_id = aws_security_group.place[each.value.from].id
  cidr_ipv4         = each.value.range
  from_port         = each.value.port
  to_port           = each.value.port
  ip_protocol       = each.value.protocol
  description       = each.value.why
}

resource "aws_vpc_security_group_ingress_rule" "from_list" {
  for_each          = { for key, rule in local.rules : key => rule if contains(keys(local.lists), rule.from) }
  security_group_id = aws_security_group.place[each.value.to].id
  prefix_list_id    = local.lists[each.value.from]
  from_port         = each.value.port
  to_port           = each.value.port
  ip_protocol       = each.value.protocol
  description       = each.value.why
}

resource "aws_vpc_security_group_egress_rule" "to_list" {
  for_each          = { for key, rule in local.rules : key => rule if contains(keys(local.lists), rule.to) }
  security_group_id = aws_security_group.place[each.value.from].id
  prefix_list_id    = local.lists[each.value.to]
  from_port         = each.value.port
  to_port           = each.value.port
  ip_protocol       = each.value.protocol
  description       = each.value.why
}
