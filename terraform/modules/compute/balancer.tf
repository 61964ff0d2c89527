# The internal load balancer. It passes TCP on, so that TLS between tiers ends on the hosts, with the hospital's own CA.

resource "aws_lb" "internal" {
  # checkov:skip=CKV_AWS_91: Network load balancers log TLS listeners only, and these listeners pass TLS through; the flow logs tell every connection.
  count                            = length(local.grouped) > 0 ? 1 : 0
  name                             = "${var.name}-internal"
  internal                         = true
  load_balancer_type               = "network"
  subnets                          = [for subnet in var.subnets.private : subnet.id]
  security_groups                  = [var.security_groups["balancer"]]
  enable_cross_zone_load_balancing = true
  enable_deletion_protection       = var.protect
}

resource "aws_lb_target_group" "tier" {
  # checkov:skip=CKV_AWS_378: Plain TCP at the balancer, because the hosts end TLS themselves.
  for_each             = local.grouped
  name                 = "${var.name}-${each.key}"
  port                 = var.ports[each.key]
  protocol             = "TCP"
  vpc_id               = var.vpc_id
  deregistration_delay = 60 # longer than one call to ML may take
  preserve_client_ip   = false

  health_check {
    protocol            = "HTTPS"
    path                = "/readyz"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "tier" {
  # checkov:skip=CKV_AWS_2: Plain TCP at the balancer, because the hosts end TLS themselves.
  # checkov:skip=CKV_AWS_103: As above: the TLS version is the hosts' setting.
  for_each          = local.grouped
  load_balancer_arn = aws_lb.internal[0].arn
  port              = var.ports[each.key]
  protocol          = "TCP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.tier[each.key].arn
  }
}
