# Tiers that are one host each. The network interface is a resource of its own, so that the address outlives the host.

locals {
  single     = { for tier, what in var.tiers : tier => what if what.group == null }
  grouped    = { for tier, what in var.tiers : tier => what if what.group != null }
  first_zone = sort(keys(var.subnets.private))[0]
  first_boot = file("${path.module}/first_boot.sh")
  tags       = { for tier in keys(var.tiers) : tier => { Name = "${var.name}-${tier}", Portal = var.name, Tier = tier } }
}

resource "aws_network_interface" "host" {
  for_each        = local.single
  subnet_id       = var.subnets[var.reach[each.key]][coalesce(each.value.zone, local.first_zone)].id
  private_ips     = each.value.private_ip == null ? null : [each.value.private_ip]
  security_groups = [var.security_groups[each.key]]
  tags            = local.tags[each.key]
}

resource "aws_instance" "host" {
  # checkov:skip=CKV_AWS_126: The node exporter gives finer figures than detailed monitoring, without its price.
  # checkov:skip=CKV2_AWS_41: Every host has a profile, from the security module; checkov does not see through the map.
  for_each                = local.single
  ami                     = var.image_ids[each.key]
  instance_type           = each.value.instance_type
  iam_instance_profile    = var.profiles[each.key]
  user_data               = local.first_boot
  ebs_optimized           = true
  disable_api_termination = var.protect
  tags                    = local.tags[each.key]

  network_interface {
    device_index         = 0
    network_interface_id = aws_network_interface.host[each.key].id
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required" # IMDSv2 only
    http_put_response_hop_limit = 1          # no container and no proxied request reaches it
    instance_metadata_tags      = "enabled"
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = each.value.root_gb
    encrypted   = true
    kms_key_id  = var.key_arn
    tags        = local.tags[each.key] # not volume_tags: it would fight the data disk's own
  }

  lifecycle {
    ignore_changes = [ami, user_data] # a newer image is for new hosts; running ones are patched by Ansible
  }
}

resource "aws_ebs_volume" "data" {
  for_each          = { for tier, what in local.single : tier => what if what.data_gb > 0 }
  availability_zone = var.subnets[var.reach[each.key]][coalesce(each.value.zone, local.first_zone)].zone
  size              = each.value.data_gb
  type              = "gp3"
  encrypted         = true
  kms_key_id        = var.key_arn
  tags              = merge(local.tags[each.key], { Name = "${var.name}-${each.key}-data" })
}

resource "aws_volume_attachment" "data" {
  for_each    = aws_ebs_volume.data
  device_name = "/dev/sdf"
  volume_id   = each.value.id
  instance_id = aws_instance.host[each.key].id
}

# Public addresses: the edge's, and the bastion's where there is one.
resource "aws_eip" "public" {
  # checkov:skip=CKV2_AWS_19: Bound to the host's network interface, which checkov does not count as a host.
  for_each          = { for tier, what in local.single : tier => what if var.reach[tier] == "public" }
  domain            = "vpc"
  network_interface = aws_network_interface.host[each.key].id
  tags              = local.tags[each.key]
  depends_on        = [aws_instance.host]
}
