# Tiers that are auto-scaling groups, each behind a listener of one internal load balancer.

resource "aws_launch_template" "tier" {
  for_each      = local.grouped
  name          = "${var.name}-${each.key}"
  image_id      = var.image_ids[each.key]
  instance_type = each.value.instance_type
  user_data     = base64encode(local.first_boot)
  ebs_optimized = true

  iam_instance_profile {
    name = var.profiles[each.key]
  }

  network_interfaces {
    associate_public_ip_address = false
    delete_on_termination       = true
    security_groups             = [var.security_groups[each.key]]
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required" # IMDSv2 only
    http_put_response_hop_limit = 1
    instance_metadata_tags      = "enabled"
  }

  monitoring {
    enabled = true
  }

  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_type           = "gp3"
      volume_size           = each.value.root_gb
      encrypted             = true
      kms_key_id            = var.key_arn
      delete_on_termination = true
    }
  }

  tag_specifications {
    resource_type = "instance"
    tags          = local.tags[each.key]
  }

  tag_specifications {
    resource_type = "volume"
    tags          = local.tags[each.key]
  }
}

resource "aws_autoscaling_group" "tier" {
  for_each            = local.grouped
  name                = "${var.name}-${each.key}"
  min_size            = each.value.group.min
  max_size            = each.value.group.max
  desired_capacity    = each.value.group.desired
  vpc_zone_identifier = [for subnet in var.subnets[var.reach[each.key]] : subnet.id]
  target_group_arns   = [aws_lb_target_group.tier[each.key].arn]
  health_check_type   = "ELB"
  # A model takes a while to load; a host that is judged before that is replaced for ever.
  health_check_grace_period = 600
  default_instance_warmup   = 180

  launch_template {
    id      = aws_launch_template.tier[each.key].id
    version = aws_launch_template.tier[each.key].latest_version
  }

  dynamic "tag" {
    for_each = local.tags[each.key]
    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  lifecycle {
    ignore_changes = [desired_capacity] # the policies' business
  }
}
