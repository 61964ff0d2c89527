variable "name" {
  description = "Prefix of every name, and the tag Portal of every host."
  type        = string
}

variable "vpc_id" {
  description = "VPC of the target groups."
  type        = string
}

variable "tiers" {
  description = "Hosts by tier. `group` makes an auto-scaling group of a tier; without it the tier is one host."
  type = map(object({
    instance_type = string
    root_gb       = number
    data_gb       = optional(number, 0) # a disk of its own, which outlives the host
    private_ip    = optional(string)
    zone          = optional(string)
    group         = optional(object({ min = number, max = number, desired = number }))
  }))
}

variable "reach" {
  description = "public or private, by tier."
  type        = map(string)
}

variable "subnets" {
  description = "Subnets by reach and zone."
  type        = map(map(object({ id = string, cidr = string, zone = string })))
}

variable "security_groups" {
  description = "Security groups by place of the network matrix."
  type        = map(string)
}

variable "profiles" {
  description = "Instance profiles by tier."
  type        = map(string)
}

variable "ports" {
  description = "Port that a balanced tier listens on."
  type        = map(number)
}

variable "image_ids" {
  description = "Machine image by tier."
  type        = map(string)
}

variable "key_arn" {
  description = "KMS key of the disks."
  type        = string
}


variable "scale_on_queue_age_s" {
  description = "Seconds that the oldest job may wait before an ML host is added."
  type        = number
}

variable "idle_minutes" {
  description = "Minutes without an open job after which ML shrinks to its minimum, which may be none."
  type        = number
}

variable "protect" {
  description = "Refuse to delete hosts and the load balancer by mistake."
  type        = bool
}

variable "deploy_script" {
  description = "Shell script that the pipeline runs on the hosts of a tier, by Session Manager."
  type        = string
}
